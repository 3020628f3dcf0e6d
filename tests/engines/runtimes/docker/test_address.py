"""Which daemon is meant."""

from __future__ import annotations

import ssl
from pathlib import Path

import pytest

from touchline.core.errors import Invalid
from touchline.engines.runtimes.docker.address import address_of
from touchline.engines.runtimes.docker.runtime import docker_answers
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("host", "environ", "expected"),
    [
        (None, {}, "unix:///var/run/docker.sock"),
        (None, {"DOCKER_HOST": "unix:///run/user/1000/docker.sock"}, None),
        (None, {"DOCKER_HOST": "tcp://10.0.0.5:2375"}, None),
        (None, {"DOCKER_HOST": ""}, "unix:///var/run/docker.sock"),
        ("tcp://10.0.0.6:2375", {"DOCKER_HOST": "tcp://10.0.0.5:2375"}, "tcp://10.0.0.6:2375"),
        ("http://[::1]:2375", {}, "http://[::1]:2375"),
        ("unix:///s", {"DOCKER_TLS_VERIFY": "1"}, "unix:///s"),
        ("tcp://10.0.0.5:2375/", {}, "tcp://10.0.0.5:2375"),
        ("tcp://10.0.0.5", {}, "tcp://10.0.0.5:2375"),
        ("tcp://[::1]/", {}, "tcp://[::1]:2375"),
    ],
)
def test_the_settings_come_before_the_environment(
    host: str | None, environ: dict[str, str], expected: str | None
) -> None:
    address = address_of(host, environ)
    assert address.url == (expected or environ["DOCKER_HOST"])
    assert address.tls is None


@pytest.mark.parametrize(
    "url",
    ["ssh://somebody@host", "npipe:////./pipe/docker", "tcp://", "tcp://:2375", "unix://relative",
     "host:2375", "tcp://host:2375/base", "tcp://host?x=1", "tcp://host:99999", "tcp://[::1"],
)  # fmt: skip
def test_what_cannot_be_an_address_is_refused(url: str) -> None:
    with pytest.raises(Invalid) as caught:
        address_of(None, {"DOCKER_HOST": url})
    assert caught.value.code == "docker_address"
    assert url in caught.value.message


async def test_what_can_be_an_address_can_be_asked() -> None:
    for url in ("tcp://127.0.0.1", "tcp://127.0.0.1:1/", "tcp://[::1]", "unix:///no/such/socket"):
        chosen = DockerRuntimeSettings(kind="docker", host=url)
        assert await docker_answers(chosen, environ={}) is False


def test_a_daemon_behind_https_is_checked_by_the_authorities_of_the_machine() -> None:
    address = address_of("https://docker.example:2376", {})
    assert address.url == "https://docker.example:2376"
    assert address.tls is not None
    assert address.tls.verify_mode == ssl.CERT_REQUIRED


def test_missing_certificates_are_named(tmp_path: Path) -> None:
    environ = {
        "DOCKER_HOST": "tcp://10.0.0.5:2376",
        "DOCKER_TLS_VERIFY": "1",
        "DOCKER_CERT_PATH": str(tmp_path),
    }
    with pytest.raises(Invalid) as caught:
        address_of(None, environ)
    assert caught.value.code == "docker_certificates"
    assert str(tmp_path) in caught.value.message
