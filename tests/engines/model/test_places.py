"""Every address at which an engine is reached belongs to it, and no other does."""

from __future__ import annotations

import socket
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import psutil  # type: ignore[import-untyped]
import pytest

from support.half import HalfRig, opened_half, settings_for
from touchline.engines.model.addresses import Deployment, OwnContainer
from touchline.engines.model.model import Binding, Engine, Instance
from touchline.engines.model.places import KNOWN_S, Machine, is_among, places_of

pytestmark = pytest.mark.anyio

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ID = "0123456789ab" + "c" * 52
OWN = ["192.0.2.10", "2001:db8::10", "fe80::10%eth0", "172.17.0.1"]

PUBLISHED = Engine(
    ID, "acestream-1", "127.0.0.1", 19001, "127.0.0.1", 19001, NOON, NOON,
    container_http_port=40001, host_http_port=19001,
)  # fmt: skip
INSTANCE = Instance(
    ID,
    "acestream-1",
    "x",
    "running",
    NOON,
    ports={"40001/tcp": (Binding("127.0.0.1", 19001),), "45001/tcp": (Binding("", 45001),)},
    ip_address="172.17.0.5",
    ip_addresses=("172.17.0.5", "10.1.0.5", "2001:db8:1::5"),
)
INSIDE = replace(PUBLISHED, host="172.17.0.5", port=40001, api_host="172.17.0.5", api_port=40001)
UNPUBLISHED = replace(INSTANCE, ports={})
VPN = replace(
    PUBLISHED, host="gluetun", port=19001, api_host="172.18.0.2", vpn_container="gluetun",
    container_http_port=19001,
)  # fmt: skip
VPN_CONTAINER = Instance(
    "f" * 64,
    "gluetun",
    "x",
    "running",
    NOON,
    ports={"19001/tcp": (Binding("0.0.0.0", 29001),)},
    ip_address="172.18.0.2",
    ip_addresses=("172.18.0.2", "10.2.0.2"),
)
ON_HOST = Deployment("host", ("127.0.0.1",))
ADVERTISED = replace(PUBLISHED, host="engines.example")
EXTERNAL = replace(PUBLISHED, host="192.0.2.99", api_host="192.0.2.99", external=True)


def machine() -> Machine:
    return Machine(now_s=lambda: 0.0, name="Club.Example.", read=lambda: OWN)


def reached(engine: Engine, instance: Instance | None, host: str, port: int, **more: Any) -> bool:
    here = machine()
    deployment = more.get("deployment", ON_HOST)
    places = places_of(engine, instance, here, vpn=more.get("vpn"), deployment=deployment)
    return is_among(here.place(host, port), places)


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.0.0.53",
        "localhost",
        "LOCALHOST",
        "localhost.",
        "::1",
        "[::1]",
        "::ffff:127.0.0.1",
        "0.0.0.0",
        "::",
        "192.0.2.10",
        "::ffff:192.0.2.10",
        "2001:db8:0:0::10",
        "2001:DB8::10",
        "fe80::10",
        "fe80::10%eth1",
        "172.17.0.1",
        "club",
        "club.example",
        "CLUB.EXAMPLE.",
        "host.docker.internal",
        "gateway.docker.internal",
        "host.containers.internal",
        "Club.local",
        "club.local.",
        "engine.localhost",
        "ip6-localhost",
    ],
)
@pytest.mark.parametrize("bound_to", ["127.0.0.1", "", "0.0.0.0", "::", "192.0.2.10"])
def test_every_name_of_this_machine_leads_to_the_published_port(host: str, bound_to: str) -> None:
    instance = replace(INSTANCE, ports={"40001/tcp": (Binding(bound_to, 19001),)})
    assert reached(PUBLISHED, instance, host, 19001)
    assert not reached(PUBLISHED, instance, host, 19002)
    # Inside the container only.
    assert not reached(PUBLISHED, instance, host, 40001)


@pytest.mark.parametrize(
    ("engine", "instance", "host", "port", "expected"),
    [
        (PUBLISHED, INSTANCE, "172.17.0.5", 40001, True),
        (PUBLISHED, INSTANCE, "10.1.0.5", 40001, True),
        (PUBLISHED, INSTANCE, "2001:db8:1:0::5", 40001, True),
        (PUBLISHED, INSTANCE, "172.17.0.5", 19001, False),
        (PUBLISHED, INSTANCE, "172.17.0.6", 40001, False),
        (PUBLISHED, INSTANCE, "192.0.2.11", 19001, False),
        (PUBLISHED, INSTANCE, "127.0.0.1", 45001, False),
        (PUBLISHED, INSTANCE, "acestream-1", 40001, True),
        (PUBLISHED, INSTANCE, "ACESTREAM-1", 19001, True),
        (PUBLISHED, INSTANCE, ID, 40001, True),
        (PUBLISHED, INSTANCE, ID[:12], 40001, True),
        (PUBLISHED, INSTANCE, "acestream-2", 40001, False),
        (PUBLISHED, None, "192.0.2.10", 19001, True),
        (INSIDE, UNPUBLISHED, "172.17.0.5", 40001, True),
        (INSIDE, UNPUBLISHED, "10.1.0.5", 40001, True),
        (INSIDE, UNPUBLISHED, "10.1.0.5", 19001, False),
        (ADVERTISED, INSTANCE, "Engines.Example", 19001, True),
        (ADVERTISED, INSTANCE, "192.0.2.10", 19001, True),
        (ADVERTISED, INSTANCE, "elsewhere.example", 19001, False),
        (EXTERNAL, None, "192.0.2.99", 19001, True),
        (EXTERNAL, None, "127.0.0.1", 19001, False),
        (EXTERNAL, None, "acestream-1", 19001, False),
    ],
)
def test_addresses_count_with_their_own_port(
    engine: Engine, instance: Instance | None, host: str, port: int, *, expected: bool
) -> None:
    assert reached(engine, instance, host, port) is expected


@pytest.mark.parametrize(
    ("host", "port", "expected"),
    [
        ("gluetun", 19001, True),
        ("172.18.0.2", 19001, True),
        ("10.2.0.2", 19001, True),
        ("192.0.2.10", 29001, True),
        ("localhost", 19001, True),
        ("10.2.0.2", 29001, False),
        ("gluetun", 19002, False),
        ("gluetun2", 19001, False),
    ],
)
def test_behind_a_vpn_the_vpns_addresses_are_the_engines(
    host: str, port: int, *, expected: bool
) -> None:
    instance = replace(INSTANCE, ports={}, ip_address=None, ip_addresses=())
    assert reached(VPN, instance, host, port, vpn=VPN_CONTAINER) is expected


REMOTE = Deployment("remote", ("0.0.0.0",), daemon_host="docker.example")


@pytest.mark.parametrize(
    ("bound_to", "host", "port", "expected"),
    [
        # The addresses of that machine are not known here: whoever reports its port means it.
        ("0.0.0.0", "198.51.100.7", 19001, True),
        ("0.0.0.0", "docker.example", 19001, True),
        ("0.0.0.0", "198.51.100.7", 19002, False),
        # Published at one address, it is reached there, and by the names of its own machine.
        ("198.51.100.7", "198.51.100.7", 19001, True),
        ("198.51.100.7", "198.51.100.8", 19001, False),
        ("198.51.100.7", "localhost", 19001, True),
        ("127.0.0.1", "198.51.100.7", 19001, False),
    ],
)
def test_a_machine_whose_addresses_are_not_known_has_them_all(
    bound_to: str, host: str, port: int, *, expected: bool
) -> None:
    instance = replace(INSTANCE, ports={"40001/tcp": (Binding(bound_to, 19001),)})
    own = OwnContainer("e" * 64, "touchline", ())
    for deployment in (REMOTE, Deployment("container", ("0.0.0.0",), own=own)):
        if host == REMOTE.daemon_host and deployment is not REMOTE:
            continue
        assert reached(PUBLISHED, instance, host, port, deployment=deployment) is expected


def test_engines_with_the_same_port_inside_are_told_apart() -> None:
    inside = replace(INSIDE, host_http_port=19001)
    assert reached(inside, INSTANCE, "172.17.0.5", 40001)
    assert not reached(inside, INSTANCE, "localhost", 40001)
    assert reached(inside, INSTANCE, "localhost", 19001)


def test_an_address_that_comes_while_the_server_runs_counts() -> None:
    addresses, now_s = ["192.0.2.10"], [0.0]
    here = Machine(now_s=lambda: now_s[0], name="club", read=lambda: addresses)
    assert here.place("192.0.2.20", 1) == ("192.0.2.20", 1)
    addresses.append("192.0.2.20")
    now_s[0] = KNOWN_S
    assert here.place("192.0.2.20", 1) == ("localhost", 1)


def an_address_of_this_machine() -> str:
    """One that is not loopback, where there is one."""
    found = [
        each.address
        for addresses in psutil.net_if_addrs().values()
        for each in addresses
        if each.family == socket.AF_INET
    ]
    return next((each for each in found if not each.startswith("127.")), "127.0.0.2")


async def played_at(rig: HalfRig, host: str) -> str:
    """The id of the engine that a stream reported there is on; nobody says which container."""
    (engine,) = await rig.ready(1)
    report = replace(rig.report(engine, "ch-1"), container_id=None, host=host)
    url = f"http://{host}:{engine.port}/ace"
    session = report.playback_session_id
    stream = await rig.front.streams.started(
        replace(report, stat_url=f"{url}/stat/a/{session}", command_url=f"{url}/cmd/a/{session}")
    )
    assert [each.id for each in rig.front.fleet.engines()] == [engine.id]
    return stream.container_id


async def test_an_engine_reported_under_another_address_of_the_machine_is_kept_while_it_plays() -> (
    None
):
    scaling = {"min_replicas": 1, "max_replicas": 2}
    async with opened_half(settings_for(scaling=scaling)) as rig:
        engine_id = await played_at(rig, an_address_of_this_machine())
        fleet = rig.front.fleet
        assert not fleet.engine(engine_id).external
        await rig.front.control.scale(0)
        assert [each.id for each in fleet.started_on(engine_id)] == ["ch-1"]
        assert fleet.find(engine_id) is not None
        # It is asked where this server reaches it.
        await rig.until(lambda: fleet.latest("ch-1") is not None)
