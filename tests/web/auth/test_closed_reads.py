"""Reads that need the key, and those that never do."""

from __future__ import annotations

import pytest

from support.fakesystem import FakeSystem
from support.serving import KEY, client_of
from touchline.web.routes.capture import diagnostics

PRIVATE_READS = [
    "/api/v1/logs/alerts",
    "/api/v1/log-files",
    "/api/v1/log-files/touchline.log",
    "/api/v1/recordings/m1/markers",
    "/api/v1/recordings/m1/markers.vtt",
    "/api/v1/recordings/m1/made",
    "/api/v1/processing/jobs",
    "/api/v1/processing/jobs/j1",
    "/custom-variant/templates",
    "/custom-variant/templates/1",
    "/custom-variant/templates/1/export",
]


@pytest.mark.anyio
async def test_off_loopback_private_reads_need_the_key(locked: FakeSystem) -> None:
    async with client_of(locked) as client:
        for path in PRIVATE_READS:
            assert (await client.get(path)).status_code not in {401, 403}, path
    locked.settings.host = "0.0.0.0"
    async with client_of(locked) as client:
        for path in PRIVATE_READS:
            refused = await client.get(path)
            assert (refused.status_code, refused.json()) == (
                401,
                {"detail": "missing bearer token"},
            )
            let_in = await client.get(path, headers={"x-api-key": KEY})
            assert let_in.status_code not in {401, 403}, path
        wrong = await client.get(PRIVATE_READS[0], headers={"x-api-key": "wrong"})
        assert wrong.status_code == 403


@pytest.mark.anyio
@pytest.mark.parametrize("host", ["127.0.0.1", "0.0.0.0"])
async def test_a_check_of_the_machine_needs_the_key(
    locked: FakeSystem, host: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(diagnostics, "check", lambda *_, **__: [])
    locked.settings.host = host
    async with client_of(locked) as client:
        refused = await client.get("/api/v1/check")
        assert (refused.status_code, refused.json()) == (401, {"detail": "missing bearer token"})
        wrong = await client.get("/api/v1/check", headers={"x-api-key": "wrong"})
        assert wrong.status_code == 403
        let_in = await client.get("/api/v1/check", headers={"x-api-key": KEY})
        assert (let_in.status_code, let_in.json()) == (200, {"ok": True, "findings": []})


CONTRACT_READS = [
    "/",
    "/metrics",
    "/api/v1/status",
    "/api/v1/recordings",
    "/api/v1/recording-health",
    "/api/v1/system-metrics",
    "/api/v1/diagnostics/recording-correlations",
    "/api/v1/panorama/status",
    "/api/v1/panorama/process/m1/status",
    "/api/v1/recordings/m1/processing-status",
    "/custom-variant/config",
    "/custom-variant/parameters",
    "/engines",
    "/streams",
    "/events/stats",
    "/orchestrator/status",
    "/vpn/status",
    "/cache/stats",
]


@pytest.mark.anyio
async def test_off_loopback_the_contracts_reads_stay_public(locked: FakeSystem) -> None:
    locked.settings.host = "0.0.0.0"
    async with client_of(locked) as client:
        for path in CONTRACT_READS:
            assert (await client.get(path)).status_code not in {401, 403}, path


@pytest.mark.anyio
async def test_closed_reads_close_every_read(locked: FakeSystem) -> None:
    locked.settings.auth.reads = True
    async with client_of(locked) as client:
        for path in [*PRIVATE_READS, *CONTRACT_READS, "/api/v1/check", "/openapi.json"]:
            assert (await client.get(path)).status_code == 401, path


@pytest.mark.anyio
async def test_closed_reads_leave_health_the_way_in_and_preflights_open(locked: FakeSystem) -> None:
    locked.settings.auth.reads = True
    asks = {"origin": "http://club.example", "access-control-request-method": "GET"}
    async with client_of(locked) as client:
        assert (await client.get("/health")).status_code == 200
        assert (await client.get("/health/ready")).status_code in {200, 503}
        assert (await client.get("/panel/")).status_code == 307
        preflight = await client.options("/api/v1/status", headers=asks)
        no_preflight = await client.options("/api/v1/status")
    assert preflight.status_code == 405, "nobody else's origin is allowed, and no key is asked for"
    assert no_preflight.status_code == 401
