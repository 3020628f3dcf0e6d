from __future__ import annotations

from pathlib import Path

import pytest

from support.docker import Docker
from support.hostile import (
    FLOODS,
    NONSENSE,
    SLOW,
    Send,
    Watch,
    hostile,
)
from touchline.engines.model.readiness import RuntimeReadiness
from touchline.engines.runtimes.docker.kind import DOCKER
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings

WITHIN_S = 0.4


ENDS_S = 20.0
"""A limit of a busy machine; what never ends takes longer."""


MOST_SENT_BYTES = 48 << 20


ANSWERS: dict[str, Send] = {**SLOW, **FLOODS, **NONSENSE}


def readiness(host: str, *, needed: bool) -> RuntimeReadiness:
    settings = DockerRuntimeSettings(kind="docker", host=host)
    return DOCKER.readiness(settings, {}, needed=needed)


@pytest.mark.parametrize("answer", ANSWERS)
def test_the_check_of_a_daemon_ends_in_time(answer: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("touchline.engines.runtimes.docker.kind.TIMEOUT_S", WITHIN_S)
    with hostile(ANSWERS[answer]) as server:
        with Watch() as watch:
            found = readiness(f"tcp://127.0.0.1:{server.port}", needed=True)
        assert server.sent_bytes < MOST_SENT_BYTES
    assert watch.took_s < ENDS_S
    assert found.state == "missing"
    assert "does not answer" in found.message
    assert found.message.isprintable()


def test_a_daemon_that_nobody_needs_is_not_missing(tmp_path: Path) -> None:
    host = f"unix://{tmp_path}/docker.sock"
    assert readiness(host, needed=True).state == "missing"
    spare = readiness(host, needed=False)
    assert (spare.state, "not reachable" in spare.message) == ("info", True)


def test_a_daemon_that_answers_tells_its_version(docker: Docker) -> None:
    found = readiness(docker.host, needed=True)
    assert (found.what, found.state) == ("docker", "ok")
    assert "Docker 2" in found.message


def test_an_address_that_cannot_be_one_is_said() -> None:
    settings = DockerRuntimeSettings(kind="docker")
    found = DOCKER.readiness(settings, {"DOCKER_HOST": "ssh://somewhere"}, needed=True)
    assert (found.state, found.mend) == ("missing", "correct DOCKER_HOST or its certificates")


def test_the_network_is_the_configured_one() -> None:
    assert DOCKER.network(DockerRuntimeSettings(kind="docker", network="engines")) == "engines"
    assert DOCKER.can_use_vpn
