"""Engines behind VPN containers on a real daemon, and everything that happens to those."""

from __future__ import annotations

import json
import secrets
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.docker import Docker
from support.engineserver import EngineServer, engine_server
from support.vpns import VpnContainer, vpn_container

pytestmark = pytest.mark.slow

FIRST_PORT = 26_100


def environment(*vpns: VpnContainer, least: int = 2, **more: Any) -> dict[str, str]:
    names: dict[str, Any] = {"container_name": vpns[0].name, "port_range_1": span(vpns[0])}
    if len(vpns) == 2:
        names |= {
            "mode": "redundant",
            "container_name_2": vpns[1].name,
            "port_range_2": span(vpns[1]),
        }
    vpn = {**names, "check_interval_s": 0.5, "port_cache_ttl_s": 0.5, "stabilise_s": 0.5, **more}
    return {
        "TOUCHLINE_ENGINES__VPN": json.dumps(vpn),
        "TOUCHLINE_ENGINES__SCALING": json.dumps(
            {"min_replicas": least, "min_free_replicas": 0, "max_replicas": 4}
        ),
    }


def span(vpn: VpnContainer) -> str:
    return f"{vpn.ports[0]}-{vpn.ports[-1]}"


@contextmanager
def single(docker: Docker, data: Path, **more: Any) -> Iterator[tuple[EngineServer, VpnContainer]]:
    with (
        vpn_container(docker, f"vpn-{secrets.token_hex(3)}", FIRST_PORT) as vpn,
        engine_server(data, docker=docker, env=environment(vpn, **more)) as server,
    ):
        server.until(lambda: len(server.healthy()) >= 2)
        yield server, vpn


def test_engines_join_the_vpn_and_one_carries_the_forwarded_port(
    docker: Docker, tmp_path: Path
) -> None:
    with single(docker, tmp_path) as (server, vpn):
        status = server.until(lambda: (s := server.ask("GET", "/vpn/status"))["public_ip"] and s)
        assert (status["mode"], status["connected"], status["health"]) == (
            "single",
            True,
            "healthy",
        )
        assert (status["provider"], status["country"]) == ("Mullvad", "Netherlands")
        assert status["forwarded_port"] == 51413
        assert server.ask("GET", "/vpn/publicip") == {"public_ip": "203.0.113.7"}
        engines = server.engines()
        assert {e["vpn_container"] for e in engines} == {vpn.name}
        assert {e["host"] for e in engines} == {vpn.name}
        assert {e["port"] for e in engines} <= set(vpn.ports)
        (forwarded,) = [e for e in engines if e["forwarded"]]
        assert forwarded["forwarded_port"] == 51413
        assert forwarded["labels"]["acestream.p2p_port"] == "51413"

        # Its port changes: the role moves to an engine that is made with the new one.
        vpn.set(port=51500)
        moved = server.until(
            lambda: [
                e
                for e in server.healthy()
                if e["labels"].get("acestream.p2p_port") == "51500" and e["forwarded"]
            ]
        )
        assert moved[0]["forwarded_port"] == 51500
        server.until(lambda: len(server.healthy()) == 2)
        assert vpn_events(server) >= {"connected", "port_changed"}


def test_without_the_vpn_nothing_is_started_and_its_return_makes_engines_anew(
    docker: Docker, tmp_path: Path
) -> None:
    with single(docker, tmp_path) as (server, vpn):
        before = {e["container_id"] for e in server.healthy()}
        vpn.kill()
        server.until(lambda: not server.ask("GET", "/vpn/status")["connected"])
        refused = server.ask("POST", "/provision/acestream", 503, json={"labels": {"a": "b"}})
        detail = refused["detail"]
        assert (detail["code"], detail["recovery_eta_seconds"]) == ("vpn_disconnected", 60)
        assert "VPN" in detail["message"]
        status = server.ask("GET", "/orchestrator/status")
        assert status["status"] in {"degraded", "unavailable"}
        assert status["provisioning"]["blocked_reason_details"]["code"] == "vpn_disconnected"
        vpn.restart()
        server.until(lambda: two_stay(server, without=before))
        assert vpn_events(server) >= {"connected", "disconnected", "recovered"}


def test_an_unhealthy_vpn_whose_engines_reach_the_network_stays_connected(
    docker: Docker, tmp_path: Path
) -> None:
    with single(docker, tmp_path) as (server, vpn):
        before = {e["container_id"] for e in server.healthy()}
        vpn.set(healthy=0)
        checked = server.until(
            lambda: (s := server.ask("GET", "/vpn/status"))["double_checked"] and s
        )
        assert checked["connected"] is True
        assert server.provision()["container_id"]
        assert before <= {e["container_id"] for e in server.engines()}
        vpn.set(healthy=1)
        server.until(lambda: not server.ask("GET", "/vpn/status")["double_checked"])
        assert before <= {e["container_id"] for e in server.engines()}


def test_a_vpn_that_is_made_anew_gets_its_engines_anew(docker: Docker, tmp_path: Path) -> None:
    with single(docker, tmp_path) as (server, vpn):
        before, old_id = {e["container_id"] for e in server.healthy()}, vpn.id
        vpn.remove()
        server.until(lambda: server.ask("GET", "/vpn/status")["status"] == "not_found")
        vpn.start()
        assert vpn.id != old_id
        server.until(lambda: two_stay(server, without=before))


def test_a_vpn_that_stays_bad_is_restarted_once(docker: Docker, tmp_path: Path) -> None:
    with single(docker, tmp_path, unhealthy_restart_timeout_s=1.0) as (server, vpn):
        vpn.kill()
        server.until(lambda: "restarting" in vpn_events(server))
        server.until(lambda: server.ask("GET", "/vpn/status")["connected"])
        server.until(lambda: len(server.healthy()) == 2)


def test_of_two_vpns_the_healthy_one_carries_on_and_all_comes_back(
    docker: Docker, tmp_path: Path
) -> None:
    word = secrets.token_hex(3)
    with (
        vpn_container(docker, f"vpn-a-{word}", FIRST_PORT) as one,
        vpn_container(docker, f"vpn-b-{word}", FIRST_PORT + 20) as two,
        engine_server(tmp_path, docker=docker, env=environment(one, two)) as server,
    ):
        server.until(lambda: len(server.healthy()) == 2)
        assert {e["vpn_container"] for e in server.engines()} == {one.name, two.name}
        playing = next(e for e in server.engines() if e["vpn_container"] == two.name)
        one.kill()
        server.until(lambda: server.ask("GET", "/vpn/status")["emergency_mode"]["active"])
        status = server.ask("GET", "/vpn/status")
        assert status["emergency_mode"]["failed_vpn"] == one.name
        assert (status["mode"], status["connected"]) == ("redundant", True)
        server.until(lambda: [e["vpn_container"] for e in server.healthy()] == [two.name, two.name])
        assert playing["container_id"] in {e["container_id"] for e in server.engines()}
        one.restart()
        server.until(lambda: not server.ask("GET", "/vpn/status")["emergency_mode"]["active"])
        # And is rebalanced, one at a time.
        server.until(
            lambda: (
                {e["vpn_container"] for e in server.healthy()} == {one.name, two.name}
                and len(server.engines()) == 2
            )
        )
        assert vpn_events(server) >= {"emergency", "emergency_over"}


def two_stay(server: EngineServer, *, without: Collection[str] = ()) -> bool:
    """Two engines, both well and there to stay; in one look, as the old may go between two."""
    engines = server.engines()
    fit = [e for e in engines if e["health_status"] == "healthy" and not e["draining"]]
    return len(fit) == len(engines) == 2 and not any(e["container_id"] in without for e in fit)


def vpn_events(server: EngineServer) -> set[str]:
    return {e["category"] for e in server.ask("GET", "/events?event_type=vpn&limit=100")}


def test_a_vpn_that_is_frozen_is_lost_and_comes_back(docker: Docker, tmp_path: Path) -> None:
    with single(docker, tmp_path) as (server, vpn):
        vpn.pause()
        server.until(lambda: not server.ask("GET", "/vpn/status")["connected"])
        server.until(lambda: server.engines() == [])  # clients are offered none without its network
        vpn.unpause()
        server.until(lambda: server.ask("GET", "/vpn/status")["connected"])
        server.until(lambda: two_stay(server))
