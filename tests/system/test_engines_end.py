"""What becomes of engines when their server ends: the demo's go with it, others run on."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import psutil  # type: ignore[import-untyped]
import pytest

from support.docker import ENGINE, Docker
from support.engineserver import EngineServer, engine_server
from support.leftovers import engine_processes
from support.runtimes import pid_of

DEADLINE_S = 60.0
SMALL = {
    f"TOUCHLINE_CAPTURE__CAMERAS__{number}__{side}": value
    for number in (0, 1)
    for side, value in (("WIDTH", "320"), ("HEIGHT", "180"))
}
KEEPS = {"TOUCHLINE_ENGINES__SCALING": '{"min_replicas": 0, "min_free_replicas": 0}'}


@contextmanager
def demo(data: Path, **environ: str) -> Iterator[tuple[subprocess.Popen[str], httpx.Client]]:
    """A demo on a free port; whatever it leaves is ended behind it."""
    with subprocess.Popen(
        [sys.executable, "-m", "touchline", "demo", "--port", "0", "--data", str(data)],
        env={**os.environ, **SMALL, **environ},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            assert process.stdout is not None
            line = process.stdout.readline()
            assert line.startswith("ready http://")
            with httpx.Client(base_url=line.split()[1], timeout=DEADLINE_S) as client:
                yield process, client
        finally:
            if process.poll() is None:
                process.kill()
            for pid in engine_processes(data):
                os.kill(pid, signal.SIGKILL)


def until_healthy(client: httpx.Client, number: int) -> list[dict[str, object]]:
    deadline_s = time.monotonic() + DEADLINE_S
    while True:
        found = [e for e in client.get("/engines").json() if e["health_status"] == "healthy"]
        if len(found) >= number:
            return found
        assert time.monotonic() < deadline_s, "no engines became healthy"
        time.sleep(0.05)


@pytest.mark.parametrize("when", ["at once", "while they play", "while more are started"])
def test_a_demo_leaves_no_process_behind(tmp_path: Path, when: str) -> None:
    with demo(tmp_path) as (process, client):
        if when != "at once":
            until_healthy(client, 2)
        if when == "while more are started":
            assert client.post("/scale/6").status_code == 200
        children = psutil.Process(process.pid).children(recursive=True)
        process.send_signal(signal.SIGTERM)
        assert process.wait(DEADLINE_S) == 0
        assert engine_processes(tmp_path) == {}
        _, alive = psutil.wait_procs(children, timeout=DEADLINE_S)
        assert [each for each in alive if each.status() != psutil.STATUS_ZOMBIE] == []
    assert list(tmp_path.glob("engines/*/record.json")) == []


@pytest.mark.slow
def test_a_demo_stops_none_but_its_own_containers(tmp_path: Path, docker: Docker) -> None:
    data = tmp_path / "server"
    data.mkdir()
    runtime = {
        "TOUCHLINE_ENGINES__RUNTIME": json.dumps({"kind": "docker", "host": docker.host}),
        "TOUCHLINE_ENGINES__IMAGE": json.dumps({"name": ENGINE}),
    }
    with engine_server(data, docker=docker, env=KEEPS) as server:
        engine = server.provision()
        try:
            with demo(tmp_path / "demo", **runtime) as (process, client):
                until_healthy(client, 1)
                process.send_signal(signal.SIGTERM)
                assert process.wait(DEADLINE_S) == 0
            assert docker.containers("label=touchline.demo=engines") == []
        finally:
            docker.remove("label=touchline.demo=engines")
        assert [each["container_id"] for each in server.healthy()] == [engine["container_id"]]


@pytest.fixture(params=["process", "docker"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[EngineServer]:
    docker = request.getfixturevalue("docker") if request.param == "docker" else None
    with engine_server(tmp_path, docker=docker, env=KEEPS) as running:
        yield running


def test_engines_of_a_server_run_on_and_its_next_start_has_them(server: EngineServer) -> None:
    engines = [server.provision(labels={"n": str(n)}) for n in range(2)]
    ids = {each["container_id"] for each in engines}
    stream = server.play(engines[0], "key-0")
    server.terminate()
    assert (
        "2 engines keep running; the next server with this data directory adopts them"
        in server.output()
    )
    # Its player notices nothing.
    assert httpx.get(stream["stat_url"], timeout=10).json()["response"] is not None
    server.start()
    server.until(lambda: {each["container_id"] for each in server.healthy()} == ids)
    assert [each["id"] for each in server.ask("GET", "/streams")] == [stream["id"]]
    if server.docker is None:
        assert {pid_of(each) for each in ids} == set(engine_processes(server.data))
    else:
        assert len(server.docker.containers(f"label={server.label}")) == 2


def test_engines_of_a_server_are_stopped_where_that_is_configured(tmp_path: Path) -> None:
    scaling = '{"min_replicas": 2, "min_free_replicas": 0, "stop_at_end": true}'
    with engine_server(tmp_path, env={"TOUCHLINE_ENGINES__SCALING": scaling}) as server:
        server.until(lambda: len(server.healthy()) == 2)
        server.terminate()
        assert engine_processes(tmp_path) == {}
        assert "engines keep running" not in server.output()
