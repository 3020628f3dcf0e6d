"""The engines' API as the contract has it, over the whole half on a runtime in memory."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import anyio
import httpx
import pytest
from pydantic import SecretStr

from support.fakeruntime import MISSING_IMAGE
from support.fakesystem import FakeSystem
from support.half import HalfRig, opened_half, settings_for
from support.serving import client_of
from touchline.engines.model.model import EngineSpec
from touchline.engines.model.runtime import StartFailed, StartTimeout

pytestmark = pytest.mark.anyio

KEY = "a-key-of-some-length"
WITH_KEY = {"Authorization": f"Bearer {KEY}"}


class Api:
    def __init__(self, half: HalfRig, system: FakeSystem, client: httpx.AsyncClient) -> None:
        self.half, self.system, self.client = half, system, client

    async def ask(self, method: str, path: str, status: int = 200, **kwargs: Any) -> Any:
        kwargs.setdefault("headers", WITH_KEY)
        answer = await self.client.request(method, path, **kwargs)
        assert answer.status_code == status, f"{answer.status_code} {answer.text}"
        return answer.json()

    async def provision(self, **order: Any) -> dict[str, Any]:
        return dict(await self.ask("POST", "/provision/acestream", json={"labels": {}, **order}))

    def report(self, made: dict[str, Any], **changes: Any) -> dict[str, Any]:
        root = f"http://127.0.0.1:{made['host_http_port']}/ace"
        return {
            "container_id": made["container_id"],
            "engine": {"host": "localhost", "port": made["host_http_port"]},
            "stream": {"key_type": "infohash", "key": "0a48"},
            "session": {
                "playback_session_id": "e0d10c40",
                "stat_url": f"{root}/stat/0a48/e0d10c40",
                "command_url": f"{root}/cmd/0a48/e0d10c40",
                "is_live": 1,
            },
            "labels": {"stream_id": "ch-42"},
            **changes,
        }


@pytest.fixture
async def api(tmp_path: Path) -> AsyncIterator[Api]:
    settings = settings_for(
        scaling={"max_replicas": 3, "lease_s": 2.0}, collector={"interval_s": 60.0}
    )
    async with opened_half(settings) as half:
        system = FakeSystem.make(tmp_path)
        system.engines = half.front
        system.settings.auth.api_key = SecretStr(KEY)
        async with client_of(system) as client:
            yield Api(half, system, client)


async def test_an_engine_is_provisioned_shown_and_deleted(api: Api) -> None:
    made = await api.provision(labels={"stream_id": "123"}, env={"EXTRA_ENV": "X"})
    assert set(made) == {
        "container_id",
        "container_name",
        "host_http_port",
        "container_http_port",
        "container_https_port",
    }
    (shown,) = await api.ask("GET", "/engines", headers={})
    assert shown["container_id"] == made["container_id"]
    assert (shown["host"], shown["port"]) == ("127.0.0.1", made["host_http_port"])
    assert shown["health_status"] == "healthy"
    assert shown["first_seen"].endswith("Z")
    one = await api.ask("GET", f"/engines/{made['container_id']}", headers={})
    assert (one["engine"]["container_id"], one["streams"]) == (made["container_id"], [])
    inspected = await api.ask("GET", f"/containers/{made['container_name']}", headers={})
    assert inspected["ports"]["40000/tcp"][0]["HostPort"] == str(made["host_http_port"])
    assert "env" not in inspected
    (found,) = await api.ask("GET", "/by-label", params={"key": "stream_id", "value": "123"})
    assert found["id"] == made["container_id"]
    gone = await api.ask("DELETE", f"/containers/{made['container_id']}")
    assert gone == {"deleted": made["container_id"]}
    assert await api.ask("GET", "/engines", headers={}) == []
    assert await api.ask("GET", f"/engines/{made['container_id']}", 404, headers={}) == {
        "error": "not found",
        "detail": "not found",
    }
    assert await api.ask("GET", "/containers/nobody", 404) == {
        "detail": "container not found",
        "code": "container_not_found",
    }
    assert (await api.ask("DELETE", "/containers/nobody", 404))["detail"]["code"] == (
        "container_not_found"
    )


async def test_any_other_container(api: Api) -> None:
    made = await api.ask(
        "POST",
        "/provision",
        json={"image": "nginx:1", "ports": {"80/tcp": 18080}, "name_prefix": "web"},
    )
    assert made["container_name"] == "web-1"
    assert await api.ask("GET", "/engines") == []
    missing = await api.ask("POST", "/provision", 400, json={})
    assert missing["detail"]["code"] == "image_required"
    unknown = await api.ask("POST", "/provision", 404, json={"image": MISSING_IMAGE})
    assert unknown["detail"]["code"] == "image_not_found"
    taken = {"image": "nginx:1", "ports": {"80/tcp": 18080}}
    refused = await api.ask("POST", "/provision", 409, json=taken)
    assert refused["detail"]["code"] == "port_in_use"


@pytest.mark.parametrize(
    ("error", "status", "code"),
    [(StartFailed("no"), 500, "start_failed"), (StartTimeout("late"), 504, "start_timeout")],
)
async def test_a_start_that_fails_says_so_in_the_form_that_proxies_read(
    api: Api, error: Exception, status: int, code: str
) -> None:
    api.half.runtime.fail("start", error)
    answer = await api.client.post("/provision/acestream", json={}, headers=WITH_KEY)
    assert answer.status_code == status
    detail = answer.json()["detail"]
    assert set(detail) == {
        "error",
        "code",
        "message",
        "recovery_eta_seconds",
        "can_retry",
        "should_wait",
    }
    assert (detail["error"], detail["code"]) == ("provisioning_failed", code)


async def test_capacity_and_a_runtime_that_is_away(api: Api) -> None:
    for number in range(3):
        await api.provision(labels={"n": str(number)})
    full = (await api.ask("POST", "/provision/acestream", 503, json={"labels": {"n": "3"}}))[
        "detail"
    ]
    assert (full["error"], full["code"], full["should_wait"]) == (
        "provisioning_blocked",
        "max_capacity",
        True,
    )
    assert "capacity" in full["message"]
    status = await api.ask("GET", "/orchestrator/status", headers={})
    assert status["provisioning"]["blocked_reason_details"]["code"] == "max_capacity"
    assert status["status"] == "healthy"
    api.half.runtime.go_away()
    await api.half.until(lambda: api.half.front.stale_s() is not None)
    answer = await api.client.get("/engines")
    assert answer.headers["warning"].startswith("110")
    assert float(answer.headers["x-touchline-stale-seconds"]) >= 0
    assert len(answer.json()) == 3
    refused = await api.client.post("/provision/acestream", json={}, headers=WITH_KEY)
    assert refused.status_code == 503
    assert refused.json()["detail"]["code"] == "runtime_unavailable"
    assert int(refused.headers["retry-after"]) >= 1
    assert (await api.client.get("/health/ready")).status_code == 503
    assert (await api.client.get("/health")).status_code == 200


async def test_a_stream_from_its_start_to_its_end(api: Api) -> None:
    engine = await api.provision()
    started = await api.ask("POST", "/events/stream_started", json=api.report(engine))
    assert (started["id"], started["status"], started["is_live"]) == ("ch-42", "started", True)
    assert started["peers"] is None
    again = await api.ask("POST", "/events/stream_started", json=api.report(engine))
    assert again["started_at"] == started["started_at"]
    assert [s["id"] for s in await api.ask("GET", "/streams", headers={})] == ["ch-42"]
    shown = await api.ask("GET", f"/engines/{engine['container_id']}", headers={})
    assert shown["engine"]["streams"] == ["ch-42"]
    assert shown["engine"]["last_stream_usage"] == started["started_at"]
    assert shown["engine"]["port"] == engine["host_http_port"]
    body = {"stream_id": "ch-42", "reason": "player_stopped"}
    ended = await api.ask("POST", "/events/stream_ended", json=body)
    assert (ended["updated"], ended["stream"]["status"]) == (True, "ended")
    repeat = await api.ask("POST", "/events/stream_ended", json=body)
    assert (repeat["updated"], repeat["stream"]["ended_at"]) == (
        False,
        ended["stream"]["ended_at"],
    )
    assert await api.ask("GET", "/streams", headers={}) == []
    for status, number in (("ended", 1), ("all", 1), ("started", 0)):
        found = await api.ask("GET", "/streams", params={"status": status})
        assert len(found) == number
    anew = await api.ask("POST", "/events/stream_started", json=api.report(engine))
    assert anew["status"] == "started"
    newest = await api.ask(
        "POST", "/events/stream_ended", json={"container_id": engine["container_id"]}
    )
    assert newest["stream"]["id"] == "ch-42"
    for nothing in ({}, {"stream_id": "x"}, {"container_id": "x"}):
        assert await api.ask("POST", "/events/stream_ended", json=nothing) == {
            "updated": False,
            "stream": None,
        }


ODD_IDS = [
    *(f"a{character}b" for character in ";/?:@&=+$,#%|\\\"'<>^`{}[] !*()~"),
    "http://tracker.example:8080/list?id=1&x=#a|e0d1",
    "a/stats",
    "/",
    "a//b",
    "a%2Fb",
    "a%252fb",
    "a%00b",
    "Süd - Nord ⚽",
    " a ",
]
"""Ids that clients may choose. Each is reached by its percent-encoded form alone."""


async def test_what_is_played_may_have_a_key_that_is_longer_than_any_id(api: Api) -> None:
    made = await api.provision()
    report = api.report(made, labels={})
    report["stream"] = {"key_type": "magnet", "key": "magnet:?xt=urn:btih:" + "a" * 1500}
    shown = await api.ask("POST", "/events/stream_started", json=report)
    assert shown["key"] == report["stream"]["key"]
    assert (await api.ask("POST", "/events/stream_started", json=report)) == shown
    assert (await api.ask("GET", f"/streams/{shown['id']}"))["id"] == shown["id"]
    ended = await api.ask("POST", "/events/stream_ended", json={"stream_id": shown["id"]})
    assert ended["updated"]


async def test_a_stream_is_reached_whatever_its_id(api: Api) -> None:
    engine = await api.provision()
    for stream_id in ODD_IDS:
        report = api.report(engine, labels={"stream_id": stream_id})
        await api.ask("POST", "/events/stream_started", json=report)
    for stream_id in ODD_IDS:
        path = f"/streams/{quote(stream_id, safe='')}"
        assert (await api.ask("GET", path))["id"] == stream_id
        assert await api.ask("GET", f"{path}/stats") == []
    # Nothing plays there, so it cannot be stopped; it is known all the same.
    path = f"/streams/{quote('a/b', safe='')}"
    assert (await api.client.delete(path, headers=WITH_KEY)).status_code != 404
    assert (await api.ask("GET", "/streams/nobody", 404))["detail"] == "not found"


@pytest.mark.parametrize(
    "path",
    [
        "/engines/a%2Fb",
        "/streams/a%00b",
        "/streams%2fa",
        "/streams/a%2Fb/../x",
        "/streams/a%2fb/c/d",
    ],
)
async def test_an_encoded_slash_leads_nowhere_else(api: Api, path: str) -> None:
    assert (await api.client.get(path, headers=WITH_KEY)).status_code == 404


@pytest.mark.parametrize(
    "url",
    ["http://example.com/x", "http://127.0.0.1:1/x", "http://169.254.169.254/latest", "ftp://a/b"],
)
async def test_urls_elsewhere_are_refused_and_nothing_is_asked_there(api: Api, url: str) -> None:
    engine = await api.provision()
    report = api.report(engine)
    report["session"]["stat_url"] = url
    refused = await api.ask("POST", "/events/stream_started", 422, json=report)
    assert refused["detail"][0]["loc"][-1] == "stat_url"
    assert await api.ask("GET", "/streams") == []


async def test_an_engine_of_somebody_else_is_listed_and_left_alone(api: Api) -> None:
    report = api.report({"container_id": None, "host_http_port": 6878})
    report["engine"]["host"] = "127.0.0.1"
    await api.ask("POST", "/events/stream_started", json=report)
    (external,) = await api.ask("GET", "/engines")
    assert (external["container_id"], external["external"]) == ("127.0.0.1:6878", True)
    await api.ask("DELETE", "/containers/127.0.0.1:6878", 409)
    status = await api.ask("GET", "/orchestrator/status")
    assert status["engines"]["running"] == 0
    details = await api.ask("GET", "/streams/ch-42/livepos", 400)
    assert details["detail"]


@pytest.mark.parametrize(
    "change",
    [
        {"engine": {"host": "", "port": 1}},
        {"engine": {"host": "a", "port": 0}},
        {"engine": {"host": "a", "port": "x"}},
        {"stream": {"key_type": "x", "key": "a"}},
        {"stream": {"key_type": "url", "key": ""}},
        {"labels": {"stream_id": "x" * 300}},
        {"labels": {"a": 1}},
        {"session": {}},
    ],
)
async def test_malformed_reports_are_refused(api: Api, change: dict[str, Any]) -> None:
    engine = await api.provision()
    answer = await api.ask("POST", "/events/stream_started", 422, json=api.report(engine, **change))
    assert answer["detail"][0]["loc"][0] == "body"


async def test_bodies_that_are_none_are_refused(api: Api) -> None:
    headers = {**WITH_KEY, "Content-Type": "application/json"}
    for content, kind in ((b"", "missing"), (b"{", "json_invalid"), (b"\xff", "json_invalid")):
        answer = await api.client.post("/events/stream_started", content=content, headers=headers)
        assert answer.status_code == 422
        assert answer.json()["detail"][0]["type"] == kind


@pytest.mark.parametrize(
    ("method", "path"),
    [
        ("POST", "/provision"),
        ("POST", "/provision/acestream"),
        ("POST", "/scale/1"),
        ("POST", "/gc"),
        ("POST", "/engines/select"),
        ("DELETE", "/containers/x"),
        ("POST", "/events/stream_started"),
        ("POST", "/events/stream_ended"),
        ("GET", "/by-label?key=a&value=b"),
        ("POST", "/health/circuit-breaker/reset"),
        ("POST", "/custom-variant/config"),
        ("POST", "/custom-variant/reprovision"),
        ("POST", "/custom-variant/templates/1"),
        ("DELETE", "/custom-variant/templates/1"),
        ("PATCH", "/custom-variant/templates/1/rename"),
        ("POST", "/custom-variant/templates/1/activate"),
        ("POST", "/custom-variant/templates/1/import"),
        ("POST", "/cache/clear"),
        ("DELETE", "/streams/x"),
    ],
)
async def test_writes_need_the_key(api: Api, method: str, path: str) -> None:
    for headers, status, words in (
        ({}, 401, "missing bearer token"),
        ({"Authorization": "Basic x"}, 401, "missing bearer token"),
        ({"Authorization": "Bearer wrong"}, 403, "invalid token"),
        ({"X-API-KEY": "wrong"}, 403, "invalid token"),
    ):
        answer = await api.client.request(method, path, headers=headers)
        assert (answer.status_code, answer.json()["detail"]) == (status, words)


async def test_a_stranger_is_shown_with_the_key_alone(api: Api) -> None:
    stranger = await api.half.runtime.start(EngineSpec(name="theirs", image="x"), within_s=1)
    instance = api.half.world.instances[stranger.id]
    api.half.world.instances[stranger.id] = type(instance)(
        **{
            **{name: getattr(instance, name) for name in instance.__dataclass_fields__},
            "labels": {},
        }
    )
    await api.ask("GET", f"/containers/{stranger.id}", 404, headers={})
    assert (await api.ask("GET", f"/containers/{stranger.id}"))["name"] == "theirs"
    refused = await api.ask("DELETE", f"/containers/{stranger.id}", 409)
    assert refused["detail"]["code"] == "not_managed"


async def test_scaling_selecting_and_cleaning_up(api: Api) -> None:
    scaled = await api.ask("POST", "/scale/7")
    assert (scaled["scaled_to"], scaled["target"]) == (7, 3)
    await api.ask("POST", "/scale/-3", 422)
    await api.ask("POST", "/scale/x", 422)
    await api.half.ready(3)
    selected = await api.ask("POST", "/engines/select", json={"stream_id": "ch-1"})
    assert selected["port"] in {e["port"] for e in await api.ask("GET", "/engines")}
    assert selected["lease_id"]
    cleaned = await api.ask("POST", "/gc")
    assert cleaned["status"] == "ok"


async def test_a_version_that_a_client_has_is_not_sent_again(api: Api) -> None:
    first = await api.client.get("/streams")
    again = await api.client.get("/streams", headers={"If-None-Match": first.headers["etag"]})
    assert (again.status_code, again.content) == (304, b"")
    engine = await api.provision()
    await api.ask("POST", "/events/stream_started", json=api.report(engine))
    newer = await api.client.get("/streams", headers={"If-None-Match": first.headers["etag"]})
    assert newer.status_code == 200
    counted = await api.ask("GET", "/cache/stats")
    assert counted["hits"] >= 1
    assert await api.ask("POST", "/cache/clear") == {"message": "Cache cleared"}


async def test_samples_since_a_time(api: Api) -> None:
    engine = await api.provision()
    api.half.engines_api.play(engine["container_id"], "e0d10c40")
    await api.ask("POST", "/events/stream_started", json=api.report(engine))
    await api.half.until(lambda: api.half.front.fleet.latest("ch-42") is not None)
    (one,) = await api.ask("GET", "/streams/ch-42/stats", headers={})
    assert (one["peers"], one["status"]) == (3, "dl")
    for since, number in (
        ("2020-01-01T00:00:00", 1),
        ("2020-01-01T00:00:00+05:00", 1),
        ("2999-01-01T00:00:00Z", 0),
    ):
        found = await api.ask("GET", "/streams/ch-42/stats", params={"since": since})
        assert len(found) == number
    await api.ask("GET", "/streams/ch-42/stats", 422, params={"since": "yesterday"})
    assert await api.ask("GET", "/streams/unknown/stats") == []
    stopped = await api.ask("DELETE", "/streams/ch-42")
    assert stopped["stream"]["end_reason"] == "stopped"
    await api.ask("DELETE", "/streams/unknown", 404)


async def test_the_custom_variant_over_http(api: Api) -> None:
    platform = await api.ask("GET", "/custom-variant/platform", headers={})
    assert platform["supported_platforms"] == ["amd64", "arm32", "arm64"]
    assert len(await api.ask("GET", "/custom-variant/parameters", headers={})) == 35
    token = {"name": "--access-token", "type": "string", "value": "secret", "enabled": True}
    config = {"enabled": True, "platform": "amd64", "parameters": [token]}
    path = api.system.settings.data_dir / "custom"
    path.mkdir()
    api.half.front.variants._directory = path
    saved = await api.ask("POST", "/custom-variant/config", json=config)
    assert saved["message"] == "Configuration saved successfully"
    assert "secret" not in str(await api.ask("GET", "/custom-variant/config", headers={}))
    wrong = await api.ask("POST", "/custom-variant/config", 400, json={**config, "platform": "x"})
    assert wrong["detail"].startswith("Invalid configuration")
    await api.ask("POST", "/custom-variant/config", 422, json={"enabled": "x", "platform": "amd64"})
    body = {"name": "Derby", "config": config}
    await api.ask("POST", "/custom-variant/templates/1", json=body)
    await api.ask("POST", "/custom-variant/templates/11", 400, json=body)
    await api.ask("POST", "/custom-variant/templates/1", 400, json={"name": "x"})
    activated = await api.ask("POST", "/custom-variant/templates/1/activate")
    assert (activated["template_id"], activated["template_name"]) == (1, "Derby")
    exported = await api.client.get("/custom-variant/templates/1/export")
    assert exported.headers["content-disposition"] == "attachment; filename=template_1.json"
    assert "secret" not in exported.text
    await api.ask("POST", "/custom-variant/templates/2/import", json={"json_data": exported.text})
    await api.ask("POST", "/custom-variant/templates/3/import", 400, json={"json_data": {}})
    await api.ask("DELETE", "/custom-variant/templates/1", 400)
    await api.ask("DELETE", "/custom-variant/templates/2")
    await api.ask("GET", "/custom-variant/templates/2", 404)
    await api.ask("POST", "/scale/1")
    await api.half.ready(1)
    started = await api.ask("POST", "/custom-variant/reprovision")
    assert started == {"message": "Started reprovisioning of 1 engines", "deleted_count": 1}
    with anyio.fail_after(10):
        while (await api.ask("GET", "/custom-variant/reprovision/status"))["in_progress"]:
            await anyio.sleep(0.02)
    (engine,) = await api.ask("GET", "/engines")
    assert engine["engine_variant"] == "Derby"


async def test_closed_reads_need_the_key_but_for_life_and_readiness(
    tmp_path: Path,
) -> None:
    async with opened_half() as half:
        system = FakeSystem.make(tmp_path)
        system.engines = half.front
        system.settings.auth.api_key = SecretStr(KEY)
        system.settings.auth.reads = True
        async with client_of(system) as client:
            assert (await client.get("/engines")).status_code == 401
            assert (await client.get("/api/v1/status")).status_code == 401
            assert (await client.get("/engines", headers=WITH_KEY)).status_code == 200
            assert (await client.get("/health")).status_code == 200
            assert (await client.get("/health/ready")).status_code == 200


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


@pytest.mark.parametrize("number", ["NaN", "-Infinity", "1e400"])
async def test_a_number_that_json_does_not_have_is_refused_and_not_kept(
    api: Api, number: str
) -> None:
    parameter = f'{{"name": "--cache-dir", "type": "path", "value": {number}, "enabled": false}}'
    config = f'{{"platform": "amd64", "parameters": [{parameter}]}}'
    template = f'{{"name": "Derby", "config": {config}}}'
    headers = {**WITH_KEY, "Content-Type": "application/json"}
    for path, body in (
        ("config", config),
        ("templates/1", template),
        ("templates/1/import", json.dumps({"json_data": template})),
    ):
        refused = await api.ask(
            "POST", f"/custom-variant/{path}", 400, content=body, headers=headers
        )
        assert refused["code"] == "invalid_configuration"
    await api.ask("GET", "/custom-variant/config", headers={})
    await api.ask("GET", "/custom-variant/templates/1", 404)


async def test_settings_that_there_are_none_of_are_named_and_not_silently_lost(api: Api) -> None:
    path = api.system.settings.data_dir / "custom"
    path.mkdir()
    api.half.front.variants._directory = path
    config = {"platform": "amd64", "parameters": [], "amd64_version": "3.2", "torrent_mounts": [1]}
    saved = await api.ask("POST", "/custom-variant/config", json=config)
    assert saved["not_kept"] == ["amd64_version", "torrent_mounts"]
    assert "torrent_mounts" in saved["message"]
    assert "torrent_mounts" not in await api.ask("GET", "/custom-variant/config")
    saved = await api.ask("POST", "/custom-variant/config", json={"platform": "amd64"})
    assert (saved["not_kept"], saved["message"]) == ([], "Configuration saved successfully")


async def test_the_earlier_dashboards_address_leads_to_the_dashboard(api: Api) -> None:
    for path in ("/panel", "/panel/", "/panel/engines"):
        answer = await api.client.get(path)
        assert (answer.status_code, answer.headers["location"]) == (307, "/")


async def test_an_engine_that_does_not_stop_its_stream_is_no_fault_of_this_server(api: Api) -> None:
    made = await api.provision(labels={"a": "b"})
    stream = await api.ask("POST", "/events/stream_started", json=api.report(made))
    api.half.runtime.freeze(made["container_id"])
    refused = await api.ask("DELETE", f"/streams/{stream['id']}", 503)
    assert "engine_unreachable" in str(refused)
    assert (await api.ask("GET", f"/streams/{stream['id']}"))["status"] == "started"
