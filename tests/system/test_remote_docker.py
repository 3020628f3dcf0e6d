"""A server whose engines run on another machine, which it is told of by DOCKER_HOST alone.

The other machine is a network namespace with a Docker daemon of its own.
"""

from __future__ import annotations

import urllib.parse
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest

from support.deployments import KEY, acexy, acexy_here
from support.engineserver import EngineServer, engine_server
from support.othermachine import RemoteDocker, remote_docker

LEAST = 2
SCALING = (
    '{{"min_replicas": {least}, "min_free_replicas": 0, "max_replicas": 4, "resync_s": 5,'
    ' "startup_timeout_s": 10, "lease_s": 1}}'
)


@pytest.fixture(scope="module")
def remote() -> Iterator[RemoteDocker]:
    with remote_docker() as made:
        yield made


def settings(remote: RemoteDocker, *, least: int) -> Mapping[str, str]:
    return {
        **remote.client,
        "API_KEY": KEY,
        "TOUCHLINE_HOST": "0.0.0.0",
        "TOUCHLINE_ENGINES__SCALING": SCALING.format(least=least),
        "TOUCHLINE_ENGINES__RUNTIME__CALL_TIMEOUT_S": "2",
    }


@pytest.fixture
def server(remote: RemoteDocker, tmp_path: Path) -> Iterator[EngineServer]:
    env = settings(remote, least=LEAST)
    with engine_server(tmp_path, docker=remote.daemon, env=env) as made:
        made.root.headers["x-api-key"] = KEY
        yield made


def api_at(server: EngineServer, host: str) -> str:
    """The server's API, at another address of this machine."""
    return f"http://{host}:{urllib.parse.urlsplit(server.origin).port}"


def all_well(server: EngineServer) -> list[dict[str, Any]]:
    """The engines, once there are as many as wanted and all are healthy."""

    def well() -> Any:
        is_ready = server.root.get("/health/ready").status_code == 200
        healthy = server.healthy()
        shown = server.engines()
        return healthy if is_ready and len(healthy) == len(shown) == LEAST else None

    return list(server.until(well))


def ids(engines: list[dict[str, Any]]) -> set[str]:
    return {each["container_id"] for each in engines}


def there(remote: RemoteDocker, server: EngineServer) -> set[str]:
    """The ids of this server's containers, running or not."""
    label = f"label={server.label}"
    return set(remote.daemon.run("ps", "--all", "--quiet", "--no-trunc", "-f", label).split())


def unready(server: EngineServer) -> bool:
    return server.root.get("/health/ready").status_code == 503


def played(server: EngineServer, engine: Mapping[str, Any], key: str) -> dict[str, Any]:
    """A stream on this engine, which the server has measured."""
    stream = server.play({**engine, "host_http_port": engine["port"]}, key, host=engine["host"])
    server.until(lambda: server.ask("GET", f"/streams/{stream['id']}/stats"))
    return stream


def test_clients_everywhere_reach_engines_at_the_other_machines_address(
    remote: RemoteDocker, tmp_path: Path
) -> None:
    env = settings(remote, least=0)
    with engine_server(tmp_path, docker=remote.daemon, env=env) as server:
        here, far = remote.machine.this_machine, remote.machine.address
        clients: dict[str, Callable[[], dict[str, Any]]] = {
            "this machine": lambda: acexy_here(server.origin),
            "the other machine": lambda: acexy_here(
                api_at(server, here), before=remote.machine.enter
            ),
            "a container there": lambda: acexy(remote.daemon, api_at(server, here)),
        }
        for where, ask in clients.items():
            told = ask()
            assert told["host"] == far, where
            assert told["port"] == told["host_http_port"], where
            remote.daemon.remove(f"label={server.label}")
            server.until(lambda: server.engines() == [])
        assert f"Engines are containers on {far}, a remote daemon" in server.output()


@pytest.mark.slow
def test_a_daemon_that_wants_certificates_is_shown_them(tmp_path: Path) -> None:
    certificates = tmp_path / "certificates"
    certificates.mkdir()
    data = tmp_path / "data"
    data.mkdir()
    with remote_docker(certificates) as remote:
        env = settings(remote, least=0)
        with engine_server(data, docker=remote.daemon, env=env) as server:
            assert acexy_here(server.origin)["host"] == remote.machine.address


def test_a_daemon_that_crashes_and_returns_finds_every_engine_and_stream_kept(
    remote: RemoteDocker, server: EngineServer
) -> None:
    before = all_well(server)
    stream = played(server, before[0], "kept")
    remote.daemon.kill()
    try:
        server.until(lambda: unready(server))
        assert ids(server.engines()) == ids(before)
        refused = server.ask("POST", "/provision/acestream", 503, json={"labels": {"a": "b"}})
        assert refused["detail"]["code"] == "runtime_unavailable"
    finally:
        remote.daemon.start()
    assert ids(all_well(server)) == ids(before) == there(remote, server)
    assert server.ask("GET", f"/streams/{stream['id']}")["status"] == "started"


@pytest.mark.slow
def test_a_machine_that_cannot_be_reached_for_a_while_loses_no_engine_and_no_stream(
    remote: RemoteDocker, server: EngineServer
) -> None:
    before = all_well(server)
    stream = played(server, before[0], "kept")
    remote.machine.unplug()
    try:
        server.until(lambda: unready(server))
        server.until(lambda: not server.healthy())
        assert ids(server.engines()) == ids(before)
    finally:
        remote.machine.plug_in()
    assert ids(all_well(server)) == ids(before)
    server.until(lambda: there(remote, server) == ids(before))
    assert server.ask("GET", f"/streams/{stream['id']}")["status"] == "started"
    # It is managed again: what is wanted more is started, and what is too much goes.
    server.ask("POST", f"/scale/{LEAST + 1}")
    server.until(lambda: len(server.healthy()) == LEAST + 1)
