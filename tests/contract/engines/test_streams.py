"""Streams, as the contract has them: reported, shown, sampled, stopped."""

from __future__ import annotations

from urllib.parse import quote

import pytest

from support.enginesapi import WITH_KEY, Api

pytestmark = pytest.mark.anyio


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


async def test_an_engine_that_does_not_stop_its_stream_is_no_fault_of_this_server(api: Api) -> None:
    made = await api.provision(labels={"a": "b"})
    stream = await api.ask("POST", "/events/stream_started", json=api.report(made))
    api.half.runtime.freeze(made["container_id"])
    refused = await api.ask("DELETE", f"/streams/{stream['id']}", 503)
    assert "engine_unreachable" in str(refused)
    assert (await api.ask("GET", f"/streams/{stream['id']}"))["status"] == "started"
