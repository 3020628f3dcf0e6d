from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from touchline.engines.vpn.control import Location
from touchline.engines.vpn.rendering import (
    NO_EMERGENCY,
    VpnState,
    emergency_json,
    status_json,
    vpn_json,
)

NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
UP = VpnState("gluetun", status="running", health="healthy", forwarded_port=4242, checked_at=NOON)
DOWN = VpnState("spare", status="exited", health="unhealthy", checked_at=NOON)


@pytest.mark.parametrize(
    ("state", "lost"),
    [
        ({}, False),  # it has not been looked at yet
        ({"checked_at": NOON, "status": "error"}, False),  # the daemon is away, not the VPN
        ({"checked_at": NOON, "health": "starting"}, False),
        ({"checked_at": NOON, "health": "healthy"}, False),
        ({"checked_at": NOON, "health": "unhealthy"}, True),
        ({"checked_at": NOON, "status": "not_found"}, True),
    ],
)
def test_a_vpn_is_lost_once_it_is_known_to_be(state: dict[str, Any], *, lost: bool) -> None:
    assert VpnState("gluetun", **state).is_lost is lost


def test_the_provider_is_named_while_the_vpn_is_connected() -> None:
    place = {"location": Location(public_ip="203.0.113.7", country="CH"), "provider": "Mullvad"}
    up = vpn_json(VpnState("gluetun", health="healthy", **place))  # type: ignore[arg-type]
    assert (up["provider"], up["public_ip"], up["country"]) == ("Mullvad", "203.0.113.7", "CH")
    down = vpn_json(VpnState("gluetun", health="unhealthy", **place))  # type: ignore[arg-type]
    assert down["provider"] is None
    assert "error" not in down
    assert vpn_json(VpnState("gluetun", error="gone"))["error"] == "gone"


def test_without_a_vpn_the_status_is_disabled() -> None:
    status = status_json((), NO_EMERGENCY, redundant=False)
    assert (status["mode"], status["enabled"], status["vpn1"]) == ("disabled", False, None)


def test_one_vpn_is_the_status() -> None:
    status = status_json((UP,), NO_EMERGENCY, redundant=False)
    assert (status["mode"], status["vpn2"]) == ("single", None)
    assert (status["health"], status["forwarded_port"]) == ("healthy", 4242)
    assert status["vpn1"] == vpn_json(UP)


@pytest.mark.parametrize(("vpns", "health"), [((DOWN, UP), "healthy"), ((DOWN, DOWN), "unhealthy")])
def test_of_two_vpns_one_that_is_connected_is_enough(
    vpns: tuple[VpnState, VpnState], health: str
) -> None:
    status = status_json(vpns, NO_EMERGENCY, redundant=True)
    assert (status["mode"], status["health"]) == ("redundant", health)
    assert status["connected"] is (health == "healthy")
    assert [status["vpn1"], status["vpn2"]] == [vpn_json(vpn) for vpn in vpns]
    assert status["container_name"] == "spare"


def test_an_emergency_says_which_vpn_is_left_and_since_when() -> None:
    assert emergency_json(None, NOON) == NO_EMERGENCY
    told = emergency_json(("spare", "gluetun", NOON), NOON + timedelta(seconds=90.1234))
    assert (told["failed_vpn"], told["healthy_vpn"]) == ("spare", "gluetun")
    assert (told["active"], told["duration_seconds"]) == (True, 90.123)
