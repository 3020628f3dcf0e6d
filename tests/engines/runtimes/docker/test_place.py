"""Which deployment is recognised, from a daemon's answers and this process's own files."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import pytest

from support.dockerscript import Script, in_turn, refuse, served, show
from touchline.engines.model.addresses import Deployment
from touchline.engines.runtimes.docker.address import DaemonAddress
from touchline.engines.runtimes.docker.api import DockerApi
from touchline.engines.runtimes.docker.place import Locator, own_ids
from touchline.engines.runtimes.docker.runtime import DockerRuntime, open_docker_runtime
from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings

pytestmark = pytest.mark.anyio

OWN, OTHER, VPN = "1" * 64, "2" * 64, "f" * 64
HERE = {"127.0.0.1", "::1", "172.20.0.1", "fd00::1", "10.89.0.1"}
MOUNT = "712 700 254:1 {root} {point} rw,relatime - ext4 /dev/vda1 rw\n"


@pytest.mark.parametrize(
    ("mountinfo", "cgroup", "hostname", "expected"),
    [
        # Docker on cgroup v2: only the mounts tell.
        (
            MOUNT.format(root=f"/var/lib/docker/containers/{OWN}/hostname", point="/etc/hostname"),
            "0::/\n",
            "orchestrator",
            [OWN],
        ),
        # cgroup v1, and the name that Docker gives.
        ("", f"12:pids:/docker/{OWN}\n", OWN[:12], [OWN, OWN[:12]]),
        ("", f"0::/system.slice/docker-{OWN}.scope\n", "x", [OWN]),
        # A container in a container: the inner one comes first.
        ("", f"1:name=systemd:/docker/{OTHER}/docker/{OWN}\n", "x", [OWN, OTHER]),
        # Podman.
        (
            MOUNT.format(
                root=f"/containers/storage/overlay-containers/{OWN}/userdata/hosts",
                point="/etc/hosts",
            ),
            f"0::/machine.slice/libpod-{OWN}.scope/container\n",
            "x",
            [OWN],
        ),
        # A host, on which a daemon has mounted things for its containers.
        (
            MOUNT.format(root="/", point=f"/var/lib/docker/containers/{OTHER}/mounts/shm"),
            "0::/user.slice/user-1000.slice\n",
            "club",
            [],
        ),
        ("", "", "deadbeefcafe", ["deadbeefcafe"]),
        ("nonsense\n\n1 2\n", "\0\n", "", []),
    ],
)
async def test_what_may_be_ones_own_id(
    tmp_path: Path, mountinfo: str, cgroup: str, hostname: str, expected: list[str]
) -> None:
    (tmp_path / "mountinfo").write_text(mountinfo)
    (tmp_path / "cgroup").write_text(cgroup)
    assert list(own_ids(tmp_path, hostname)) == expected


async def test_where_nothing_can_be_read_there_is_none(tmp_path: Path) -> None:
    assert list(own_ids(tmp_path / "nowhere", "club")) == []


def shown(container: str, *, mode: str, hostname: str = "x", **networks: str) -> Any:
    return show(
        {
            "Id": container,
            "Name": f"/name-{container[0]}",
            "Config": {"Hostname": hostname},
            "HostConfig": {"NetworkMode": mode},
            "NetworkSettings": {
                "Networks": {name: {"Gateway": gateway} for name, gateway in networks.items()}
            },
        }
    )


def network(name: str, gateway: str, *, driver: str = "bridge", internal: bool = False) -> Any:
    config = [{"Gateway": "fd00::1"}, {"Gateway": gateway}]
    return show({"Name": name, "Driver": driver, "Internal": internal, "IPAM": {"Config": config}})


@pytest.fixture
async def script() -> AsyncIterator[Script]:
    made = Script()
    async with served(made):
        yield made


async def located(
    script: Script, *ids: str, url: str = "unix:///run/docker.sock", **more: Any
) -> tuple[Deployment, bool]:
    api = DockerApi(DaemonAddress(script.host), timeout_s=5)
    try:
        options: dict[str, Any] = {"network": None, "bind_address": "127.0.0.1", **more}
        options.setdefault("bind_is_default", True)
        options.setdefault("here", lambda address: address in HERE)
        return await Locator(api, url=url, ids=lambda: ids, **options).locate()
    finally:
        await api.aclose()


async def test_on_the_host(script: Script) -> None:
    found, complete = await located(script)
    assert (found.kind, found.bind_addresses, found.own) == ("host", ("127.0.0.1",), None)
    assert complete
    # What looks like an id, and is no container of this daemon.
    assert (await located(script, OWN, "deadbeefcafe"))[0].kind == "host"


async def test_in_a_container(script: Script) -> None:
    script.answers |= {
        f"GET /containers/{OWN}/json": shown(
            OWN, mode="club", bridge="172.17.0.1", club="172.20.0.1"
        ),
        "GET /networks/club": network("club", "172.20.0.1"),
        "GET /networks/bridge": network("bridge", "172.17.0.1"),
    }
    found, _ = await located(script, OTHER, OWN)
    assert found.kind == "container"
    assert found.own is not None
    assert (found.own.id, found.own.name) == (OWN, "name-1")
    assert found.joined == {"bridge", "club"}
    assert found.network is not None
    assert (found.network.name, found.network.gateways) == ("club", ("172.20.0.1",))
    # A daemon that is asked over the network is this one all the same.
    assert (await located(script, OWN, url="tcp://192.0.2.200:2375"))[0].kind == "container"


@pytest.mark.parametrize(("hostname", "kind"), [("1" * 12, "container"), ("another", "host")])
async def test_a_short_id_counts_where_the_container_has_that_name(
    script: Script, hostname: str, kind: str
) -> None:
    script.answers |= {
        f"GET /containers/{'1' * 12}/json": shown(
            OWN, mode="bridge", hostname=hostname, bridge="172.17.0.1"
        )
    }
    assert (await located(script, "1" * 12))[0].kind == kind


async def test_on_the_hosts_network(script: Script) -> None:
    script.answers[f"GET /containers/{OWN}/json"] = shown(OWN, mode="host", host="")
    assert (await located(script, OWN))[0].kind == "host"


async def test_on_a_vpns_network(script: Script) -> None:
    script.answers |= {
        f"GET /containers/{OWN}/json": shown(OWN, mode=f"container:{VPN}"),
        f"GET /containers/{VPN}/json": shown(VPN, mode="club", club="172.20.0.1"),
        "GET /networks/club": network("club", "172.20.0.1"),
    }
    found, _ = await located(script, OWN)
    assert found.own is not None
    assert found.own.shares == VPN
    assert found.joined == {"club"}
    script.answers[f"GET /containers/{VPN}/json"] = refuse(404, "no such container")
    found, _ = await located(script, OWN)
    assert found.own is not None
    assert (found.own.shares, found.joined) == (VPN, frozenset())


async def test_the_configured_network_is_bound_at_where_it_has_an_address_of_this_machine(
    script: Script,
) -> None:
    script.answers["GET /networks/club"] = network("club", "172.20.0.1")
    found, complete = await located(script, network="club")
    assert found.bind_addresses == ("127.0.0.1", "172.20.0.1", "fd00::1")
    assert complete
    script.answers["GET /networks/club"] = network("club", "172.20.0.1", driver="macvlan")
    assert (await located(script, network="club"))[0].bind_addresses == ("127.0.0.1",)
    # Podman's own words.
    script.answers["GET /networks/club"] = show(
        {"name": "club", "driver": "bridge", "subnets": [{"gateway": "10.89.0.1"}]}
    )
    found, _ = await located(script, network="club")
    assert found.bind_addresses == ("127.0.0.1", "10.89.0.1")


async def test_a_gateway_that_is_not_on_this_machine_is_not_bound_at(script: Script) -> None:
    # As with a daemon in a namespace or a virtual machine of its own.
    script.answers["GET /networks/club"] = network("club", "172.20.0.1")
    found, _ = await located(script, network="club", here=lambda address: False)
    assert found.bind_addresses == ("127.0.0.1",)
    # Where a network does not tell its gateway, its bridge does.
    told = {"Name": "club", "Driver": "bridge", "IPAM": {"Config": [{"Subnet": "172.20.0.0/16"}]}}
    told["Options"] = {"com.docker.network.bridge.name": "lo"}
    script.answers["GET /networks/club"] = show(told)
    found, _ = await located(script, network="club", bind_address="127.0.0.2")
    assert "127.0.0.1" in found.bind_addresses


async def test_the_name_of_a_network_counts_where_its_id_is_configured(script: Script) -> None:
    script.answers["GET /networks/3c5d"] = network("club", "172.20.0.1")
    found, _ = await located(script, network="3c5d")
    assert found.network is not None
    assert found.network.name == "club"


@pytest.mark.parametrize("url", ["tcp://127.0.0.1:2375", "http://[::1]:2375", "tcp://localhost:1"])
async def test_a_daemon_over_tcp_may_be_this_machines(script: Script, url: str) -> None:
    assert (await located(script, url=url))[0].kind == "host"


async def test_a_remote_daemon(script: Script) -> None:
    found, complete = await located(script, url="tcp://192.0.2.200:2375")
    assert (found.kind, found.daemon_host) == ("remote", "192.0.2.200")
    assert found.bind_addresses == ("192.0.2.200",)
    assert complete
    given = await located(
        script, url="tcp://192.0.2.200:2375", bind_address="10.8.0.5", bind_is_default=False
    )
    assert given[0].bind_addresses == ("10.8.0.5",)


async def test_a_host_that_is_not_found_is_looked_for_again(
    script: Script, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def nobody(*_: Any, **__: Any) -> Any:
        raise socket.gaierror("Name or service not known")

    monkeypatch.setattr("anyio.getaddrinfo", nobody)
    found, complete = await located(script, url="tcp://docker.example:2375")
    assert (found.kind, found.bind_addresses) == ("remote", ("0.0.0.0",))
    assert not complete


@asynccontextmanager
async def opened(script: Script, **settings: Any) -> AsyncIterator[DockerRuntime]:
    chosen = DockerRuntimeSettings(kind="docker", host=script.host, **settings)
    async with open_docker_runtime(
        chosen, label=("a", "b"), bind_address="127.0.0.1", environ={}, ids=lambda: [OWN]
    ) as runtime:
        yield runtime


async def test_the_deployment_is_known_after_the_first_list_and_asked_for_once(
    script: Script,
) -> None:
    script.answers |= {
        "GET /containers/json": show([]),
        f"GET /containers/{OWN}/json": shown(OWN, mode="club", club="172.20.0.1"),
        "GET /networks/club": network("club", "172.20.0.1"),
    }
    async with opened(script) as runtime:
        kinds = [runtime.deployment.kind]
        for _ in range(3):
            await runtime.list()
            kinds.append(runtime.deployment.kind)
        assert kinds == ["host", "container", "container", "container"]
        assert script.asked[f"GET /containers/{OWN}/json"] == 1


async def test_a_network_that_comes_later_is_seen(script: Script) -> None:
    script.answers |= {
        "GET /containers/json": show([]),
        "GET /networks/3c5d": in_turn(
            refuse(404, "no such network"), network("club", "172.20.0.1")
        ),
    }
    async with opened(script, network="3c5d") as runtime:
        names = []
        for _ in range(2):
            await runtime.list()
            assert runtime.deployment.network is not None
            names.append(runtime.deployment.network.name)
        assert names == ["3c5d", "club"]
