"""Docker's words and ours."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pytest

from touchline.core.errors import Invalid, TouchlineError
from touchline.engines.model.addresses import Deployment, Network
from touchline.engines.model.labels import START
from touchline.engines.model.model import Binding, EngineSpec, PortMapping
from touchline.engines.model.runtime import (
    ImageNotFound,
    NameInUse,
    PortInUse,
    StartFailed,
)
from touchline.engines.runtimes.docker.api import DaemonError
from touchline.engines.runtimes.docker.json import (
    creation,
    event_of,
    has_begun,
    inspected,
    listed,
    why_not,
)
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings

LABEL = ("ondemand.app", "myservice")
SPEC = EngineSpec(
    name="engine-1",
    image="some/image:1",
    ports=(PortMapping(40001, 19001), PortMapping(45001, None)),
)
SHOWN: dict[str, Any] = {
    "Id": "8" * 64,
    "Names": ["/engine-1"],
    "Image": "some/image:1",
    "Created": 1795693232,
    "Ports": [
        {"IP": "0.0.0.0", "PrivatePort": 40001, "PublicPort": 19001, "Type": "tcp"},
        {"IP": "::", "PrivatePort": 40001, "PublicPort": 19001, "Type": "tcp"},
        {"PrivatePort": 8621, "Type": "udp"},
    ],
    "Labels": {"a": "b", START: "0123"},
    "State": "running",
    "HostConfig": {"NetworkMode": "default"},
    "NetworkSettings": {"Networks": {"bridge": {"IPAddress": "172.17.0.2"}}},
}


def wanted(
    spec: EngineSpec = SPEC,
    *,
    bound: tuple[str, ...] = ("127.0.0.1",),
    network: str | None = None,
    **settings: Any,
) -> Any:
    joins = Network(network) if network is not None else None
    return creation(
        spec,
        DockerRuntimeSettings(kind="docker", **settings),
        label=LABEL,
        start="0123",
        deployment=Deployment("host", bound, joins),
    )


def test_a_container_of_a_list() -> None:
    instance = listed(SHOWN)
    assert instance.name == "engine-1"
    assert instance.labels == {"a": "b"}
    assert instance.ports == {"40001/tcp": (Binding("0.0.0.0", 19001), Binding("::", 19001))}
    assert instance.network is None
    assert instance.ip_address == "172.17.0.2"
    assert instance.created_at == datetime(2026, 11, 26, 11, 40, 32, tzinfo=UTC)


def test_a_container_on_another_ones_network_has_no_address_of_its_own() -> None:
    shared = {"NetworkMode": "container:" + "9" * 64}
    instance = listed({**SHOWN, "HostConfig": shared, "NetworkSettings": {"Networks": {}}})
    assert instance.network == "container:" + "9" * 64
    assert instance.ip_address is None


def test_a_container_of_podmans_list() -> None:
    shown = {name: told for name, told in SHOWN.items() if name != "HostConfig"}
    assert listed(shown).network is None
    assert listed(shown).networks == {"bridge": ("172.17.0.2",)}


@pytest.mark.parametrize(
    ("state", "expected"),
    [
        ("created", "created"),
        ("running", "running"),
        ("restarting", "running"),
        ("paused", "paused"),
        ("exited", "exited"),
        ("dead", "exited"),
        ("removing", "exited"),
        ("a state of years to come", "exited"),
    ],
)
def test_states(state: str, expected: str) -> None:
    assert listed({**SHOWN, "State": state}).state == expected


def test_an_inspected_container() -> None:
    instance = inspected(
        {
            "Id": "8" * 64,
            "Name": "/engine-1",
            "Created": "2026-11-26T11:40:32.215496937Z",
            "State": {"Status": "exited", "ExitCode": 137, "Health": {"Status": "unhealthy"}},
            "Config": {
                "Image": "some/image:1",
                "Env": ["A=b=c", "EMPTY=", "BARE"],
                "Labels": {"a": "b", START: "0123"},
            },
            "HostConfig": {"NetworkMode": "engines"},
            "NetworkSettings": {
                "Ports": {
                    "40001/tcp": [{"HostIp": "127.0.0.1", "HostPort": "19001"}],
                    "8621/udp": None,
                },
                "Networks": {"engines": {"IPAddress": "10.0.0.9"}},
            },
        }
    )
    assert instance.created_at == listed(SHOWN).created_at
    assert (instance.state, instance.exit_code, instance.health) == ("exited", 137, "unhealthy")
    assert instance.env == {"A": "b=c", "EMPTY": "", "BARE": ""}
    assert instance.labels == {"a": "b"}
    assert instance.ports == {"40001/tcp": (Binding("127.0.0.1", 19001),)}
    assert (instance.network, instance.ip_address) == ("engines", "10.0.0.9")


def test_an_event_with_its_labels_and_exit_code() -> None:
    event = event_of(
        {
            "Action": "die",
            "Actor": {
                "ID": "8" * 64,
                "Attributes": {
                    "name": "engine-1",
                    "image": "some/image:1",
                    "exitCode": "137",
                    "a": "b",
                    START: "0123",
                },
            },
            "timeNano": 1795693232_500000000,
        }
    )
    assert event is not None
    assert (event.kind, event.name, event.exit_code) == ("died", "engine-1", 137)
    assert event.labels == {"a": "b"}
    assert event.at == datetime(2026, 11, 26, 11, 40, 32, 500_000, tzinfo=UTC)


@pytest.mark.parametrize(
    ("action", "kind", "health"),
    [
        ("health_status: healthy", "health", "healthy"),
        ("health_status: unhealthy", "health", "unhealthy"),
        ("start", "started", None),
        ("destroy", "removed", None),
        ("exec_start: sh -c true", None, None),
        ("oom", None, None),
        ("die", "died", None),
        ("remove", "removed", None),
    ],
)
def test_kinds_of_events(action: str, kind: str | None, health: str | None) -> None:
    told = {"Action": action, "Actor": {"ID": "8", "Attributes": {}}, "timeNano": 0}
    event = event_of(told)
    assert (event and event.kind, event and event.health) == (kind, health)


@pytest.mark.parametrize(
    ("status", "words", "expected", "port"),
    [
        (404, "No such image: some/image:1", ImageNotFound, None),
        (404, "network nonet not found", StartFailed, None),
        (404, "No such container: vpn", StartFailed, None),
        (400, "invalid reference format: repository name must be lowercase", ImageNotFound, None),
        (400, "Minimum memory limit allowed is 6MB", StartFailed, None),
        (409, 'Conflict. The container name "/engine-1" is already in use by …', NameInUse, None),
        (
            500,
            'container create: the container name "engine-1" is already in use by df53. You have',
            NameInUse,
            None,
        ),
        (409, "cannot join network of a non running container: 1d2f", StartFailed, None),
        (
            500,
            (
                "driver failed programming external connectivity on endpoint engine-1 (af8a): "
                "Bind for 127.0.0.1:19001 failed: port is already allocated"
            ),
            PortInUse,
            19001,
        ),
        (
            500,
            (
                "failed to set up container networking: failed to bind host port for "
                "127.0.0.1:19001:172.17.0.2:40001/tcp: address already in use"
            ),
            PortInUse,
            19001,
        ),
        (
            500,
            (
                "Error starting userland proxy: listen tcp4 127.0.0.1:33000: bind: "
                "address already in use"
            ),
            PortInUse,
            None,
        ),
        (500, "failed to create shim task: OCI runtime create failed", StartFailed, None),
    ],
)
def test_what_a_refusal_means(
    status: int, words: str, expected: type[TouchlineError], port: int | None
) -> None:
    error = why_not(DaemonError(words, status=status), SPEC)
    assert type(error) is expected
    assert words in error.message
    assert error.details.get("port") == port


def test_ports_are_bound_to_one_address_of_the_host() -> None:
    asked = wanted()
    assert asked["ExposedPorts"] == {"40001/tcp": {}, "45001/tcp": {}}
    assert asked["HostConfig"]["PortBindings"] == {
        "40001/tcp": [{"HostIp": "127.0.0.1", "HostPort": "19001"}],
        "45001/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}],
    }


def test_a_port_is_published_at_each_address_and_a_free_one_at_the_first() -> None:
    asked = wanted(bound=("127.0.0.1", "172.20.0.1"))
    assert asked["HostConfig"]["PortBindings"] == {
        "40001/tcp": [
            {"HostIp": "127.0.0.1", "HostPort": "19001"},
            {"HostIp": "172.20.0.1", "HostPort": "19001"},
        ],
        "45001/tcp": [{"HostIp": "127.0.0.1", "HostPort": ""}],
    }
    for given, asked_for in (("localhost", "127.0.0.1"), ("[::1]", "::1"), ("::", "::")):
        bindings = wanted(bound=(given,))["HostConfig"]["PortBindings"]["40001/tcp"]
        assert bindings == [{"HostIp": asked_for, "HostPort": "19001"}]


def test_the_specs_network_comes_before_the_deployments() -> None:
    joined = EngineSpec(name="engine-1", image="some/image", network="container:vpn")
    assert wanted(joined, network="engines")["HostConfig"]["NetworkMode"] == "container:vpn"
    assert wanted(network="engines")["HostConfig"]["NetworkMode"] == "engines"
    assert "NetworkMode" not in wanted()["HostConfig"]


def test_no_label_of_a_spec_can_say_that_a_container_is_not_ours() -> None:
    spec = EngineSpec(name="engine-1", image="i", labels={LABEL[0]: "other", START: "x", "a": "b"})
    assert wanted(spec)["Labels"] == {LABEL[0]: LABEL[1], START: "0123", "a": "b"}


@pytest.mark.parametrize("name", ["", "a", "-engine", "engine 1", "a/b", "é" * 3, "a" * 129])
def test_a_name_that_docker_would_refuse_is_invalid(name: str) -> None:
    with pytest.raises(Invalid):
        wanted(EngineSpec(name=name, image="some/image:1"))


INIT = "/sbin/docker-init -- /usr/bin/engine --port 1"


@pytest.mark.parametrize(
    ("commands", "begun"),
    [
        ([], False),
        ([INIT], False),
        ([INIT, INIT], False),
        ([INIT, "[engine] <defunct>"], False),
        (["[docker-init] <defunct>"], False),
        ([INIT, "/usr/bin/engine --port 1"], True),
        (["/usr/bin/engine --port 1", INIT], True),
        ([INIT, "/bin/sh /usr/bin/engine --port 1", "sleep 5"], True),
        (["/usr/bin/engine --port 1"], True),
        (["/run/podman-init -- sleep 60"], False),
        (["/run/podman-init -- sleep 60", "sleep 60"], True),
        (["docker-init"], True),
    ],
)
def test_a_program_has_begun_when_more_runs_than_its_init(
    commands: list[str],
    begun: bool,  # noqa: FBT001
) -> None:
    assert has_begun(commands) is begun
