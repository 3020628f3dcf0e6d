from __future__ import annotations

import logging
import stat
from pathlib import Path
from typing import Any

import pytest
from fastapi.routing import APIRoute
from pydantic import SecretStr

from support.fakesystem import FakeSystem
from support.serving import client_of
from touchline.core.errors import Failed
from touchline.listen import is_loopback
from touchline.web.app import ROUTERS
from touchline.web.auth.access import KEY_FILE, decide_access
from touchline.web.auth.auth import MEDIA, NEEDS_KEY, PRIVATE, PRIVATE_MEDIA
from touchline.web.auth.medialinks import media_scope

KEY = "a-key-of-some-length"
WRITES = [
    ("POST", "/api/v1/recording"),
    ("DELETE", "/api/v1/recording"),
    ("DELETE", "/api/v1/recordings/m1"),
    ("POST", "/api/v1/recordings/m1/verify"),
]
FILES = [
    ("GET", "/api/v1/recordings/m1/download"),
    ("HEAD", "/api/v1/recordings/m1/download"),
    ("GET", "/api/v1/recordings/m1/segments/cam0.mp4"),
    ("GET", "/api/v1/recordings/m1/files/match.json"),
]
OPEN = ["/", "/metrics", "/api/v1/status", "/api/v1/recordings", "/openapi.json"]


@pytest.fixture
def system(tmp_path: Path) -> FakeSystem:
    return FakeSystem.make(tmp_path)


@pytest.fixture
def locked(system: FakeSystem) -> FakeSystem:
    system.settings.auth.api_key = SecretStr(KEY)
    return system


@pytest.mark.parametrize(
    ("host", "expected"),
    [
        ("127.0.0.1", True),
        ("127.8.8.8", True),
        ("localhost", True),
        ("::1", True),
        ("[::1]", True),
        ("0.0.0.0", False),
        ("::", False),
        ("192.168.1.4", False),
        ("camera.club.example", False),
        ("127.0.0.1.example.com", False),
    ],
)
def test_only_addresses_of_this_machine_are_loopback(host: str, *, expected: bool) -> None:
    assert is_loopback(host) is expected


def test_loopback_without_a_key_is_open(system: FakeSystem, tmp_path: Path) -> None:
    access = decide_access(system.settings)  # type: ignore[arg-type]
    assert access.key is None
    assert access.hosts == frozenset({"localhost", "127.0.0.1"})
    assert not (tmp_path / KEY_FILE).exists()


@pytest.mark.parametrize(("mode", "host"), [("auto", "0.0.0.0"), ("key", "127.0.0.1")])
def test_a_needed_key_is_made_once_kept_private_and_not_written_to_the_log(
    system: FakeSystem, tmp_path: Path, caplog: pytest.LogCaptureFixture, mode: str, host: str
) -> None:
    caplog.set_level(logging.INFO)
    system.settings.host, system.settings.auth.mode = host, mode
    settings: Any = system.settings
    first, second = decide_access(settings), decide_access(settings)
    assert first.key is not None
    assert len(first.key) >= 32
    assert second == first
    file = tmp_path / KEY_FILE
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert caplog.text.count("Generated an API key") == 1
    assert str(file) in caplog.text
    assert first.key not in caplog.text


def test_an_empty_key_file_is_not_a_key(system: FakeSystem, tmp_path: Path) -> None:
    system.settings.host = "0.0.0.0"
    (tmp_path / KEY_FILE).write_text("\n")
    assert decide_access(system.settings).key  # type: ignore[arg-type]


def test_a_key_that_cannot_be_kept_stops_the_start(system: FakeSystem, tmp_path: Path) -> None:
    system.settings.host = "0.0.0.0"
    (tmp_path / KEY_FILE).mkdir()
    with pytest.raises(Failed, match=KEY_FILE):
        decide_access(system.settings)  # type: ignore[arg-type]


def test_switching_authentication_off_is_said_loudly(
    system: FakeSystem, caplog: pytest.LogCaptureFixture
) -> None:
    system.settings.host, system.settings.auth.mode = "0.0.0.0", "none"
    system.settings.auth.api_key = SecretStr(KEY)
    assert decide_access(system.settings).key is None  # type: ignore[arg-type]
    assert "AUTHENTICATION IS OFF" in caplog.text
    assert caplog.records[0].levelno == logging.WARNING


def guards() -> dict[tuple[str, str], Any]:
    """What each documented operation asks for: one of the four, or nothing."""
    kinds = (NEEDS_KEY, MEDIA, PRIVATE, PRIVATE_MEDIA)
    return {
        (method, route.path): next((kind for kind in kinds if kind in route.dependencies), None)
        for router in ROUTERS
        for route in router.routes
        if isinstance(route, APIRoute) and route.include_in_schema
        for method in route.methods or ()
    }


SIGNING_IN = {("POST", "/api/v1/session"), ("DELETE", "/api/v1/session")}


def test_every_route_that_writes_asks_for_the_key_itself() -> None:
    asked = {
        operation: guard
        for operation, guard in guards().items()
        if operation[0] not in {"GET", "HEAD", "OPTIONS"}
    }
    assert asked
    open_ = {operation for operation, guard in asked.items() if guard is None} - SIGNING_IN
    assert {guard for guard in asked.values() if guard is not None} == {NEEDS_KEY}
    assert open_ == set(), "no write may be open, or be opened by a password or a link"


REAL = {
    "match_id": "m1",
    "camera": "cam0",
    "camera_id": "0",
    "file_name": "cam0.mp4",
    "segment_name": "cam0.mp4",
    "sequence": "1",
    "suffix": "ts",
}


def test_what_players_open_is_what_links_are_for() -> None:
    media = {path for (_, path), guard in guards().items() if guard in (MEDIA, PRIVATE_MEDIA)}
    assert len(media) == 10
    for template in {path for _, path in guards()}:
        path = template.replace("/hls/{name}", "/hls/cam0.m3u8").format_map(Names())
        assert (media_scope(path, "") is not None) == (template in media), path


class Names(dict[str, str]):
    def __missing__(self, name: str) -> str:
        return REAL.get(name, "1")


PRIVATE_READS = [
    "/api/v1/logs/alerts",
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


@pytest.mark.parametrize(
    ("host", "reads", "told"),
    [
        ("0.0.0.0", False, True),
        ("0.0.0.0", True, False),
        ("127.0.0.1", False, False),
    ],
)
def test_closing_reads_is_recommended_where_others_reach_the_server(
    locked: FakeSystem, caplog: pytest.LogCaptureFixture, host: str, *, reads: bool, told: bool
) -> None:
    locked.settings.host, locked.settings.auth.reads = host, reads
    decide_access(locked.settings)  # type: ignore[arg-type]
    assert ("auth.reads" in caplog.text) is told


@pytest.mark.parametrize("terminal", [True, False])
def test_a_made_key_is_shown_to_a_terminal_alone(
    system: FakeSystem,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    *,
    terminal: bool,
) -> None:
    system.settings.host = "0.0.0.0"
    monkeypatch.setattr("sys.stderr.isatty", lambda: terminal)
    key = decide_access(system.settings).key  # type: ignore[arg-type]
    shown = capsys.readouterr()
    assert key is not None
    assert (key in shown.err) is terminal
    assert key not in shown.out


@pytest.mark.anyio
@pytest.mark.parametrize(("method", "path"), WRITES + FILES)
async def test_without_a_key_a_write_or_a_file_is_401(
    locked: FakeSystem, method: str, path: str
) -> None:
    body: dict[str, str] | None = {} if path.endswith("/recording") and method == "POST" else None
    async with client_of(locked) as client:
        response = await client.request(method, path, json=body)
    assert response.status_code == 401
    challenges = response.headers.get_list("www-authenticate")
    assert challenges[0] == "Bearer"
    assert (len(challenges) == 2) is ((method, path) in FILES), "players are asked for a password"
    if method != "HEAD":
        assert response.json() == {"detail": "missing bearer token"}
    assert locked.capture.recorder.match_id is None


@pytest.mark.anyio
@pytest.mark.parametrize(
    "headers",
    [
        {"authorization": "Bearer wrong"},
        {"authorization": f"Bearer {KEY}x"},
        {"authorization": f"Bearer {KEY[:-1]}"},
        {"authorization": "Bearer schlüssel"},
        {"x-api-key": "wrong"},
        {"authorization": "Bearer wrong", "x-api-key": KEY},
    ],
)
async def test_a_wrong_key_is_403(locked: FakeSystem, headers: dict[str, str]) -> None:
    raw = {name: value.encode("latin-1") for name, value in headers.items()}
    async with client_of(locked) as client:
        response = await client.request("DELETE", "/api/v1/recording", headers=raw)  # type: ignore[arg-type]
    assert (response.status_code, response.json()) == (403, {"detail": "invalid token"})


@pytest.mark.anyio
@pytest.mark.parametrize("header", ["Basic dXNlcjpwYXNz", KEY, "Bearer", ""])
async def test_a_header_that_is_no_bearer_token_is_401(locked: FakeSystem, header: str) -> None:
    async with client_of(locked, authorization=header) as client:
        response = await client.delete("/api/v1/recording")
    assert response.status_code == 401


@pytest.mark.anyio
@pytest.mark.parametrize("headers", [{"authorization": f"Bearer {KEY}"}, {"x-api-key": KEY}])
async def test_the_key_opens_either_way(locked: FakeSystem, headers: dict[str, str]) -> None:
    async with client_of(locked, **headers) as client:
        response = await client.post("/api/v1/recording", json={"match_id": "m1"})
    assert response.json()["success"] is True


@pytest.mark.anyio
@pytest.mark.parametrize("path", OPEN)
async def test_reading_the_state_needs_no_key(locked: FakeSystem, path: str) -> None:
    async with client_of(locked) as client:
        assert (await client.get(path)).status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("host", "status"),
    [
        ("localhost", 200),
        ("localhost:8000", 200),
        ("LOCALHOST", 200),
        ("127.0.0.1:8000", 200),
        ("[::1]:8000", 200),
        ("evil.example", 400),
        ("localhost.evil.example", 400),
        ("127.0.0.1.evil.example:8000", 400),
        ("evil.example@localhost.evil.example", 400),
        ("[::1", 400),
    ],
)
async def test_an_open_server_answers_only_to_names_of_this_machine(
    system: FakeSystem, host: str, status: int
) -> None:
    async with client_of(system, host=host) as client:
        response = await client.get("/api/v1/status")
    assert response.status_code == status
    if status == 400:
        assert response.json()["detail"] == "Invalid host header"


@pytest.mark.anyio
async def test_a_server_with_a_key_answers_to_any_name(locked: FakeSystem) -> None:
    async with client_of(locked, host="cameras.club.example") as client:
        assert (await client.get("/api/v1/status")).status_code == 200


@pytest.mark.anyio
@pytest.mark.parametrize(
    ("origin", "status"),
    [
        ("http://localhost:8000", 200),
        ("https://localhost:8000", 200),
        ("http://localhost:3000", 403),
        ("http://evil.example", 403),
        ("null", 403),
        ("", 403),
        ("http://[", 403),
    ],
)
async def test_only_the_server_s_own_pages_may_write(
    system: FakeSystem, origin: str, status: int
) -> None:
    async with client_of(system, origin=origin) as client:
        write = await client.post("/api/v1/recording", json={"match_id": "m1"})
        read = await client.get("/api/v1/status")
    assert (write.status_code, read.status_code) == (status, 200)
    assert system.capture.recorder.match_id == ("m1" if status == 200 else None)


@pytest.mark.anyio
async def test_no_other_origin_may_read_answers_unless_it_is_configured(
    system: FakeSystem,
) -> None:
    headers = {"origin": "http://club.example"}
    async with client_of(system, **headers) as client:
        refused = await client.get("/api/v1/status")
    system.settings.auth.cors_origins = ("http://club.example",)
    async with client_of(system, **headers) as client:
        allowed = await client.get("/api/v1/status")
        write = await client.post("/api/v1/recording", json={})
        preflight = await client.options(
            "/api/v1/recording", headers={"access-control-request-method": "DELETE"}
        )
    assert "access-control-allow-origin" not in refused.headers
    assert allowed.headers["access-control-allow-origin"] == "http://club.example"
    assert "access-control-allow-credentials" not in allowed.headers
    assert write.status_code == 200
    assert preflight.status_code == 200
