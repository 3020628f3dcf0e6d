"""What `touchline check` says of engines."""

from __future__ import annotations

import socket
from typing import Any

import pytest

from support.docker import Docker
from support.half import settings_for
from touchline.engines.model.readiness import RuntimeReadiness
from touchline.engines.readiness import engine_readiness


def found(
    runtime: dict[str, Any], *, wanted: bool = True, host: str = "unix:///no/such"
) -> dict[str, RuntimeReadiness]:
    settings = settings_for(runtime=runtime)
    told = engine_readiness(settings, wanted=wanted, environ={"DOCKER_HOST": host})
    return {one.what: one for one in told}


def test_a_daemon_that_is_needed_and_away_is_missing() -> None:
    assert found({"kind": "docker"})["docker"].state == "missing"
    assert found({"kind": "docker"}, wanted=False)["docker"].state == "info"


def test_a_daemon_that_answers_tells_its_version(docker: Docker) -> None:
    one = found({"kind": "docker", "host": docker.host})["docker"]
    assert one.state == "ok"
    assert "Docker 2" in one.message


def test_without_docker_a_program_is_needed() -> None:
    assert found({"kind": "auto"})["engines"].state == "missing"
    there = found({"kind": "process", "command": ["/bin/sleep"]})["engines"]
    assert there.state == "ok"
    gone = found({"kind": "process", "command": ["/no/such"]})["engines"]
    assert gone.state == "missing"


@pytest.mark.parametrize(("kind", "state"), [("docker", "warn"), ("process", "missing")])
def test_an_address_of_another_machine_is_right_only_for_containers(kind: str, state: str) -> None:
    settings = settings_for(ports={"bind_address": "192.0.2.77"}, runtime={"kind": kind})
    found = {each.what: each for each in engine_readiness(settings, wanted=False, environ={})}
    assert found["engine ports"].state == state


def test_ports_that_others_hold_are_counted() -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        settings = settings_for(ports={"host": f"{port}-{port}"})
        (one,) = [
            each
            for each in engine_readiness(settings, wanted=False, environ={})
            if each.what == "engine ports"
        ]
    assert one.state == "warn"
    assert one.message.startswith("0 of 1")
