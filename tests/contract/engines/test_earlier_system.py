"""What clients of the earlier system send is taken."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from support.enginesapi import WITH_KEY, Api, opened_api
from touchline.engines.settings.tree import EnginesSettings

pytestmark = pytest.mark.anyio


async def test_what_the_earlier_system_took_is_taken(api: Api) -> None:
    port = "19444"
    headers = {**WITH_KEY, "Content-Type": ""}
    content = json.dumps({"labels": {}, "env": {}, "host_port": port})
    made = await api.ask("POST", "/provision/acestream", content=content, headers=WITH_KEY)
    assert made["host_http_port"] == 19444
    made = await api.ask("POST", "/provision/acestream", content=b"{}", headers=headers)
    report = api.report(made)
    report["engine"]["port"] = str(made["host_http_port"])
    report["session"] |= {"is_live": "1", "playback_session_id": ""}
    stream = await api.ask("POST", "/events/stream_started", json=report)
    assert (stream["is_live"], stream["playback_session_id"]) == (True, "")
    assert len(await api.ask("GET", "/streams", params={"container_id": ""})) == 1
    assert await api.ask("GET", "/streams", params={"container_id": "x"}) == []
    for wrong in ("20210 ", "0", "70000", "1e3", "²", True, 1.5, None, "9" * 5000):
        report["engine"]["port"] = wrong
        await api.ask("POST", "/events/stream_started", 422, json=report)
    status = await api.ask("GET", "/orchestrator/status")
    assert isinstance(status["config"]["grace_period_s"], int)
    health = await api.ask("GET", "/health/status")
    assert isinstance(health["circuit_breakers"]["general"]["recovery_timeout"], int)


async def test_whole_seconds_are_integers(tmp_path: Path) -> None:
    settings = EnginesSettings()
    async with opened_api(tmp_path, settings=settings) as api:
        health = await api.ask("GET", "/health/status")
        status = await api.ask("GET", "/orchestrator/status")
    breaker = health["circuit_breakers"]["general"]
    for seconds, expected in (
        (health["health_check_interval"], settings.health.interval_s),
        (breaker["recovery_timeout"], settings.breaker.recovery_timeout_s),
        (status["config"]["grace_period_s"], settings.scaling.grace_period_s),
    ):
        assert (type(seconds), seconds) == (int, expected)


async def test_the_earlier_dashboards_address_leads_to_the_dashboard(api: Api) -> None:
    for path in ("/panel", "/panel/", "/panel/engines"):
        answer = await api.client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (307, "/")
