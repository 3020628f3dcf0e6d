"""Where engines are reached and what clients are told, in every deployment there is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from touchline.engines.fleet.adoption import Surroundings, engine_of
from touchline.engines.model import labels as names
from touchline.engines.model.addresses import (
    Address,
    Deployment,
    Network,
    OwnContainer,
    client_address,
    deployment_of,
    sentences,
    server_address,
)
from touchline.engines.model.model import Binding, Engine, Instance

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
PORT = 40000
BRIDGE = Network("bridge", ("172.17.0.1",))
CLUB = Network("club", ("172.20.0.1",))
DEAD_END = Network("a-dead-end", ("172.21.0.1",), is_internal=True)
OVERLAY = Network("club")
MACHINE = ("192.0.2.10", "2001:db8::10")


def own(*networks: Network, **more: Any) -> OwnContainer:
    return OwnContainer("e" * 64, "touchline", networks, **more)


def deployed(**facts: Any) -> Deployment:
    known: dict[str, Any] = {
        "bind_address": "127.0.0.1",
        "bind_is_default": "bind_address" not in facts,
        "network": None,
        "own": None,
        "daemon_host": None,
        "daemon_address": None,
        "machine_addresses": MACHINE,
    }
    return deployment_of(**{**known, **facts})


def instance(*bound: str, networks: Mapping[str, tuple[str, ...]] | None = None) -> Instance:
    networks = {"bridge": ("172.17.0.5",)} if networks is None else networks
    addresses = tuple(each for found in networks.values() for each in found)
    return Instance(
        "8" * 64,
        "acestream-1",
        "x",
        "running",
        NOON,
        ports={f"{PORT}/tcp": tuple(Binding(each, 19001) for each in bound)} if bound else {},
        ip_address=next((each for each in addresses if ":" not in each), None),
        ip_addresses=addresses,
        networks=networks,
    )


def both(shown: Instance, deployment: Deployment, **more: Any) -> tuple[Address, Address]:
    """Where the server reaches it, and what clients are told."""
    advertise = more.pop("advertise_host", None)
    server = server_address(shown, PORT, deployment, **more)
    assert server is not None
    more.pop("reach_host", None)
    return server, client_address(shown, PORT, server, deployment, advertise_host=advertise, **more)


ON_HOST = deployed()
EVERYWHERE = deployed(bind_address="0.0.0.0")
IN_CLUB: Mapping[str, tuple[str, ...]] = {"club": ("172.20.0.5",)}


@pytest.mark.parametrize(
    ("deployment", "shown", "server", "client"),
    [
        # On the host.
        (ON_HOST, instance("127.0.0.1"), ("127.0.0.1", 19001), ("127.0.0.1", 19001)),
        (EVERYWHERE, instance("0.0.0.0"), ("127.0.0.1", 19001), ("192.0.2.10", 19001)),
        (EVERYWHERE, instance("0.0.0.0", "::"), ("127.0.0.1", 19001), ("192.0.2.10", 19001)),
        (EVERYWHERE, instance("::", "0.0.0.0"), ("127.0.0.1", 19001), ("192.0.2.10", 19001)),
        (deployed(bind_address="::"), instance("::"), ("::1", 19001), ("2001:db8::10", 19001)),
        (deployed(bind_address="::1"), instance("::1"), ("::1", 19001), ("::1", 19001)),
        (
            deployed(bind_address="192.0.2.20"),
            instance("192.0.2.20"),
            ("192.0.2.20", 19001),
            ("192.0.2.20", 19001),
        ),
        (
            deployed(bind_address="2001:db8::20"),
            instance("2001:db8::20"),
            ("2001:db8::20", 19001),
            ("2001:db8::20", 19001),
        ),
        (
            deployed(bind_address="0.0.0.0", machine_addresses=()),
            instance("0.0.0.0"),
            ("127.0.0.1", 19001),
            ("127.0.0.1", 19001),
        ),
        # Nothing is published: by its address in a network.
        (ON_HOST, instance(), ("172.17.0.5", PORT), ("172.17.0.5", PORT)),
        # In a network of their own: the machine's address there is everybody's way.
        (
            deployed(network=CLUB),
            instance("127.0.0.1", "172.20.0.1", networks=IN_CLUB),
            ("127.0.0.1", 19001),
            ("172.20.0.1", 19001),
        ),
        # Made by an earlier version, at the loopback alone.
        (
            deployed(network=CLUB),
            instance("127.0.0.1", networks=IN_CLUB),
            ("127.0.0.1", 19001),
            ("127.0.0.1", 19001),
        ),
        # In a container, in the engines' network.
        (
            deployed(own=own(CLUB)),
            instance("127.0.0.1", networks=IN_CLUB),
            ("172.20.0.5", PORT),
            ("172.20.0.5", PORT),
        ),
        (
            deployed(own=own(BRIDGE)),
            instance("127.0.0.1"),
            ("172.17.0.5", PORT),
            ("172.17.0.5", PORT),
        ),
        (
            deployed(own=own(CLUB)),
            instance("127.0.0.1", networks={"club": ("2001:db8:1::5",)}),
            ("2001:db8:1::5", PORT),
            ("2001:db8:1::5", PORT),
        ),
        # In a container, in another network than the engines.
        (
            deployed(own=own(BRIDGE), network=CLUB),
            instance("127.0.0.1", "172.17.0.1", "172.20.0.1", networks=IN_CLUB),
            ("172.17.0.1", 19001),
            ("172.17.0.1", 19001),
        ),
        (
            deployed(own=own(BRIDGE), network=CLUB, bind_address="0.0.0.0"),
            instance("0.0.0.0", networks=IN_CLUB),
            ("172.17.0.1", 19001),
            ("172.17.0.1", 19001),
        ),
        (
            deployed(own=own(BRIDGE), network=CLUB, bind_address="192.0.2.20"),
            instance("192.0.2.20", networks=IN_CLUB),
            ("192.0.2.20", 19001),
            ("192.0.2.20", 19001),
        ),
        # In a container on the host's network: as on the host.
        (
            deployed(own=own(Network("host"), on_host_network=True)),
            instance("127.0.0.1"),
            ("127.0.0.1", 19001),
            ("127.0.0.1", 19001),
        ),
        # A remote daemon.
        (
            deployed(daemon_host="docker.example", daemon_address="198.51.100.7"),
            instance("198.51.100.7"),
            ("docker.example", 19001),
            ("docker.example", 19001),
        ),
        (
            deployed(daemon_host="docker.example", daemon_address=None),
            instance("0.0.0.0"),
            ("docker.example", 19001),
            ("docker.example", 19001),
        ),
        (
            deployed(
                daemon_host="docker.example", daemon_address="198.51.100.7", bind_address="10.8.0.5"
            ),
            instance("10.8.0.5"),
            ("docker.example", 19001),
            ("docker.example", 19001),
        ),
        (
            deployed(daemon_host="2001:db8:7::7", daemon_address="2001:db8:7::7"),
            instance("2001:db8:7::7"),
            ("2001:db8:7::7", 19001),
            ("2001:db8:7::7", 19001),
        ),
        # Processes.
        (
            Deployment("processes", ("127.0.0.1",), machine_addresses=MACHINE),
            instance("127.0.0.1", networks={}),
            ("127.0.0.1", 19001),
            ("127.0.0.1", 19001),
        ),
        (
            Deployment("processes", ("0.0.0.0",), machine_addresses=MACHINE),
            instance("0.0.0.0", networks={}),
            ("127.0.0.1", 19001),
            ("192.0.2.10", 19001),
        ),
    ],
)
def test_where_the_server_reaches_an_engine_and_what_clients_are_told(
    deployment: Deployment, shown: Instance, server: Address, client: Address
) -> None:
    assert both(shown, deployment) == (server, client)
    # What is configured wins, with the port that leads there from outside.
    told = both(shown, deployment, advertise_host="engines.example")[1]
    assert told == ("engines.example", 19001 if shown.ports else PORT)
    reached, _ = both(shown, deployment, reach_host="198.51.100.99")
    assert reached == (("198.51.100.99", 19001) if shown.ports else server)


@pytest.mark.parametrize(
    ("facts", "kind", "bound", "joins"),
    [
        ({}, "host", ("127.0.0.1",), None),
        ({"network": CLUB}, "host", ("127.0.0.1", "172.20.0.1"), "club"),
        # An overlay has no address of this machine.
        ({"network": OVERLAY}, "host", ("127.0.0.1",), "club"),
        ({"network": CLUB, "bind_address": "0.0.0.0"}, "host", ("0.0.0.0",), "club"),
        ({"network": CLUB, "bind_address": "192.0.2.20"}, "host", ("192.0.2.20",), "club"),
        ({"own": own(BRIDGE)}, "container", ("127.0.0.1",), None),
        ({"own": own(CLUB)}, "container", ("127.0.0.1",), "club"),
        ({"own": own(BRIDGE, CLUB)}, "container", ("127.0.0.1",), "club"),
        ({"own": own(DEAD_END, CLUB)}, "container", ("127.0.0.1",), "club"),
        ({"own": own(DEAD_END)}, "container", ("127.0.0.1",), "a-dead-end"),
        (
            {"own": own(BRIDGE), "network": CLUB},
            "container",
            ("127.0.0.1", "172.17.0.1", "172.20.0.1"),
            "club",
        ),
        ({"own": own(CLUB, on_host_network=True)}, "host", ("127.0.0.1",), None),
        # Its daemon is asked over the network, and yet it runs on it.
        ({"own": own(CLUB), "daemon_host": "socket-proxy"}, "container", ("127.0.0.1",), "club"),
        (
            {"daemon_host": "docker.example", "daemon_address": "198.51.100.7"},
            "remote",
            ("198.51.100.7",),
            None,
        ),
        ({"daemon_host": "docker.example"}, "remote", ("0.0.0.0",), None),
        (
            {"daemon_host": "docker.example", "bind_address": "127.0.0.1"},
            "remote",
            ("127.0.0.1",),
            None,
        ),
    ],
)
def test_what_is_made_of_the_facts(
    facts: dict[str, Any], kind: str, bound: tuple[str, ...], joins: str | None
) -> None:
    made = deployed(**facts)
    assert (made.kind, made.bind_addresses) == (kind, bound)
    assert (made.network.name if made.network is not None else None) == joins
    assert len(sentences(made)) == 2
    assert "engines.example" in sentences(made, advertise_host="engines.example")[1]


def engine(shown: Instance, deployment: Deployment, vpn: Instance | None, **more: Any) -> Engine:
    around = Surroundings(
        deployment=lambda: deployment,
        vpn=lambda name: vpn,
        advertise_host=more.get("advertise_host"),
        reach_host=None,
    )
    found = engine_of(shown, around, facts={}, now=NOON, now_s=0.0)
    assert found is not None
    return found


def behind(vpn: str) -> Instance:
    labels = {names.HTTP_PORT: "19001", names.VPN_CONTAINER: vpn, names.HOST_HTTP_PORT: "19001"}
    return replace(instance(networks={}), labels=labels, network="container:" + "f" * 64)


VPN = Instance(
    "f" * 64,
    "gluetun",
    "x",
    "running",
    NOON,
    ports={"19001/tcp": (Binding("127.0.0.1", 29001),)},
    ip_address="172.20.0.2",
    ip_addresses=("172.20.0.2",),
    networks={"club": ("172.20.0.2",)},
)
UNPUBLISHED = replace(VPN, ports={})


@pytest.mark.parametrize(
    ("deployment", "vpn", "server"),
    [
        (ON_HOST, VPN, ("127.0.0.1", 29001)),
        (ON_HOST, UNPUBLISHED, ("172.20.0.2", 19001)),
        (ON_HOST, None, ("gluetun", 19001)),
        (deployed(own=own(CLUB)), VPN, ("172.20.0.2", 19001)),
        (deployed(own=own(CLUB)), UNPUBLISHED, ("172.20.0.2", 19001)),
        # The server is on the VPN's network itself.
        (deployed(own=own(CLUB, shares="f" * 64)), UNPUBLISHED, ("127.0.0.1", 19001)),
        (
            deployed(daemon_host="docker.example", daemon_address="198.51.100.7"),
            replace(VPN, ports={"19001/tcp": (Binding("0.0.0.0", 29001),)}),
            ("docker.example", 29001),
        ),
    ],
)
def test_behind_a_vpn_the_server_goes_through_its_container_and_clients_use_its_name(
    deployment: Deployment, vpn: Instance | None, server: Address
) -> None:
    found = engine(behind("gluetun"), deployment, vpn)
    assert (found.api_host, found.api_port) == server
    assert (found.host, found.port) == ("gluetun", 19001)
    told = engine(behind("gluetun"), deployment, vpn, advertise_host="engines.example")
    published = bool(vpn is not None and vpn.ports)
    assert (told.host, told.port) == ("engines.example", 29001 if published else 19001)


def test_a_server_on_a_vpns_network_reaches_what_shares_it_and_tells_the_name() -> None:
    deployment = deployed(own=own(CLUB, shares="f" * 64))
    shown = replace(instance(networks={}), network="container:" + "f" * 64)
    assert both(shown, deployment) == (("127.0.0.1", PORT), ("touchline", PORT))


@pytest.mark.parametrize(
    ("deployment", "server"),
    [
        (deployed(network=Network("host")), ("127.0.0.1", 19001)),
        (deployed(network=Network("host"), bind_address="::"), ("::1", 19001)),
        (deployed(network=Network("host"), own=own(CLUB)), ("172.20.0.1", 19001)),
        (
            deployed(
                network=Network("host"), daemon_host="docker.example", daemon_address="198.51.100.7"
            ),
            ("docker.example", 19001),
        ),
    ],
)
def test_engines_on_the_hosts_network_publish_nothing_and_are_reached_at_their_port(
    deployment: Deployment, server: Address
) -> None:
    labels = {names.HTTP_PORT: "19001", names.HOST_HTTP_PORT: "19001"}
    shown = replace(instance(networks={"host": ()}), labels=labels, network="host")
    found = engine(shown, deployment, None)
    assert (found.api_host, found.api_port) == server
    assert found.host_http_port == 19001


def test_the_url_of_an_ipv6_address_has_brackets() -> None:
    shown = replace(instance("::1"), labels={names.HTTP_PORT: str(PORT)})
    found = engine(shown, deployed(bind_address="::1"), None)
    assert (found.host, found.port) == ("::1", 19001)
    assert found.api_url == "http://[::1]:19001"


def test_the_published_port_is_kept_beside_the_told_one() -> None:
    shown = replace(instance("127.0.0.1", networks=IN_CLUB), labels={names.HTTP_PORT: str(PORT)})
    found = engine(shown, deployed(own=own(CLUB)), None)
    assert (found.host, found.port, found.host_http_port) == ("172.20.0.5", PORT, 19001)
