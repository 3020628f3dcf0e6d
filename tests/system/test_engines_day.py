"""A day in the life of an operator and a proxy, over HTTP, on processes and on a real daemon."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from support.engineserver import EngineServer, engine_server

Answers = list[dict[str, Any]]

ENV = {"TOUCHLINE_ENGINES__SCALING": '{"min_replicas": 0, "min_free_replicas": 0}'}


@pytest.fixture(params=["process", "docker"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EngineServer]:
    docker = request.getfixturevalue("docker") if request.param == "docker" else None
    with engine_server(tmp_path, docker=docker, env=ENV) as running:
        yield running


@pytest.mark.slow
def test_a_day(server: EngineServer) -> None:
    assert server.ask("GET", "/health")["status"] == "ok"
    assert server.ask("GET", "/health/ready")["ready"] is True
    assert server.engines() == []
    engines, streams = three_with_a_stream_each(server)
    read_statistics(server, engines, streams)
    end_each_in_its_way(server, engines, streams)
    what_happened_is_told_and_counted(server)
    delete_all(server)


def three_with_a_stream_each(server: EngineServer) -> tuple[Answers, Answers]:
    """Engines and streams, reported as a proxy does."""
    engines = [server.provision(labels={"n": str(n)}) for n in range(3)]
    assert len({each["host_http_port"] for each in engines}) == 3
    assert {e["health_status"] for e in server.engines()} == {"healthy"}
    streams = [server.play(each, f"key-{n}") for n, each in enumerate(engines)]
    assert streams[0]["id"].startswith("key-0|")
    assert [s["id"] for s in server.ask("GET", "/streams")] == [s["id"] for s in streams]
    return engines, streams


def read_statistics(server: EngineServer, engines: Answers, streams: Answers) -> None:
    """They arrive by themselves."""

    def measured() -> bool:
        path = f"/streams/{streams[0]['id']}/stats"
        return len(server.ask("GET", path)) >= 2

    server.until(measured)
    (sample, *_) = server.ask("GET", f"/streams/{streams[0]['id']}/stats")
    assert sample["peers"] > 0
    assert server.ask("GET", f"/streams/{streams[0]['id']}/livepos")["has_livepos"] is True
    details = server.ask("GET", f"/streams/{streams[0]['id']}/extended-stats")
    assert details["title"] == "Simulated match"
    ids = {each["container_id"] for each in engines}
    server.until(lambda: set(server.ask("GET", "/engines/stats/all")) == ids)
    assert server.ask("GET", "/engines/stats/total")["container_count"] == 3
    one = server.ask("GET", f"/engines/{engines[0]['container_id']}")
    assert one["streams"][0]["id"] == streams[0]["id"]
    inspected = server.ask("GET", f"/containers/{engines[0]['container_id']}")
    assert inspected["status"] == "running"
    found = server.ask("GET", "/by-label", params={"key": "n", "value": "1"})
    assert [each["id"] for each in found] == [engines[1]["container_id"]]


def end_each_in_its_way(server: EngineServer, engines: Answers, streams: Answers) -> None:
    """The engine of one dies, one ends, one is stopped here."""
    server.kill_engine(engines[0]["container_id"])
    server.until(lambda: len(server.engines()) == 2)
    died = server.ask("GET", "/streams", params={"status": "ended"})
    assert [(s["id"], s["end_reason"]) for s in died] == [(streams[0]["id"], "engine_died")]
    ended = server.ask(
        "POST",
        "/events/stream_ended",
        json={"stream_id": streams[1]["id"], "reason": "player_stopped"},
    )
    assert ended["updated"] is True
    assert server.ask("POST", "/events/stream_ended", json={"stream_id": "x"}) == {
        "updated": False,
        "stream": None,
    }
    assert server.ask("DELETE", f"/streams/{streams[2]['id']}")["updated"] is True
    gone = httpx.get(streams[2]["stat_url"]).json()
    assert gone["error"] == "unknown playback session id"
    assert server.ask("GET", "/streams") == []


def what_happened_is_told_and_counted(server: EngineServer) -> None:
    told = {(e["event_type"], e["category"]) for e in server.ask("GET", "/events?limit=500")}
    assert {
        ("engine", "created"),
        ("engine", "failed"),
        ("stream", "started"),
        ("stream", "ended"),
    } <= told
    metrics = server.root.get("/metrics").text
    assert "orch_events_started_total 3.0" in metrics
    assert "orch_events_ended_total 3.0" in metrics
    assert 'orch_provision_total{kind="acestream"} 3.0' in metrics
    assert "orch_streams_active 0.0" in metrics
    assert "orch_collect_errors_total" in metrics


def delete_all(server: EngineServer) -> None:
    for each in server.engines():
        server.ask("DELETE", f"/containers/{each['container_id']}")
    assert server.engines() == []
    server.ask("DELETE", "/containers/nobody", 404)


def test_ports_are_not_promised_where_nothing_maps_them(tmp_path: Path) -> None:
    with engine_server(tmp_path, env=ENV) as server:
        order = {"image": "x", "ports": {"80/tcp": 18080}}
        refused = server.ask("POST", "/provision", 409, json=order)
        assert refused["detail"]["code"] == "ports_not_published"


@pytest.mark.slow
def test_a_server_that_is_killed_loses_no_engine_and_no_acknowledged_event(
    server: EngineServer,
) -> None:
    engine = server.provision(host_port=None)
    stream = server.play(engine, "key", stream_id="ch-42")
    server.kill()
    server.start()
    (again,) = server.until(server.healthy)
    assert again["container_id"] == engine["container_id"]
    assert again["port"] == engine["host_http_port"]
    assert again["streams"] == [stream["id"]] == ["ch-42"]
    (told,) = server.ask("GET", "/events", params={"stream_id": "ch-42"})
    assert told["category"] == "started"
    server.until(lambda: server.ask("GET", "/streams/ch-42")["downloaded"])
    assert server.ask("POST", "/gc")["status"] == "ok"
    assert server.terminate() == 0
    server.start()
    assert [each["container_id"] for each in server.engines()] == [engine["container_id"]]
