from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, cast

import pytest

from support.values import NOON, engine_value
from touchline.core.errors import Blocked
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.labels import P2P_PORT
from touchline.engines.vpn.facts import VpnFacts, VpnView
from touchline.engines.vpn.rendering import VpnState
from touchline.engines.vpn.vpn import VpnWatch

A = VpnState("a", health="healthy", forwarded_port=4242, checked_at=NOON, up_since=NOON)
B = VpnState("b", health="unhealthy", checked_at=NOON)


class PlayedWatch:
    """VPNs as a test says they are; those that are connected can be used."""

    def __init__(self, *vpns: VpnState, cut_off_s: float | None = None) -> None:
        self.vpns = vpns
        self._cut_off_s = cut_off_s

    def find(self, name: str) -> VpnState | None:
        return next((vpn for vpn in self.vpns if vpn.name == name), None)

    def usable_for_engines(self) -> tuple[VpnState, ...]:
        return tuple(vpn for vpn in self.vpns if vpn.connected)

    def cut_off_s(self, _name: str) -> float | None:
        return self._cut_off_s


def view(*vpns: VpnState, engines: tuple[Any, ...] = (), **watch: Any) -> VpnView:
    fleet = Fleet()
    for each in engines:
        fleet.put(each)
    return VpnView(cast("VpnWatch", PlayedWatch(*vpns, **watch)), fleet)


FORWARDED = engine_value("f", vpn_container="a", forwarded=True, labels={P2P_PORT: "4242"})


def test_without_a_vpn_nothing_is_restricted() -> None:
    alone = VpnView(None, Fleet())
    assert (alone.facts(), alone.choose(), alone.forwarded_port("a")) == ((), None, None)
    assert alone.is_joined(engine_value(vpn_container="a"))


def test_the_plan_is_told_which_vpn_is_usable_lost_or_wants_an_engine() -> None:
    assert view(A, B).facts() == (
        VpnFacts("a", usable=True, lost=False, wants_forwarded=True),
        VpnFacts("b", usable=False, lost=True, wants_forwarded=False),
    )
    assert not view(A, engines=(FORWARDED,)).facts()[0].wants_forwarded


def test_an_engine_with_an_earlier_port_does_not_have_the_one_of_now() -> None:
    earlier = replace(FORWARDED, labels={P2P_PORT: "4141"})
    assert view(A, engines=(FORWARDED,)).forwarded_port("a") is None
    assert view(A, engines=(earlier,)).forwarded_port("a") == 4242
    assert view(B).forwarded_port("b") is None
    assert view(A).forwarded_port("unknown") is None


def test_a_new_engine_goes_where_the_fewest_are() -> None:
    other = replace(A, name="c")
    crowd = tuple(engine_value(f"e{n}", vpn_container="a") for n in range(2))
    assert view(A, other, engines=crowd).choose() == "c"
    assert view(A, B, engines=crowd).choose() == "a"
    with pytest.raises(Blocked) as caught:
        view(B).choose()
    assert caught.value.code == "vpn_disconnected"


@pytest.mark.parametrize(
    ("first_seen_s", "joined"), [(-1.0, False), (0.0, True), (0.4, True), (5.0, True)]
)
def test_an_engine_that_is_older_than_its_network_is_not_joined_to_it(
    first_seen_s: float, *, joined: bool
) -> None:
    up = replace(A, up_since=NOON + timedelta(seconds=0.7))  # the engine's times are whole seconds
    engine = engine_value(vpn_container="a", first_seen=NOON + timedelta(seconds=first_seen_s))
    assert view(up).is_joined(engine) is joined


def test_an_engine_from_before_a_cut_is_not_joined() -> None:
    before = engine_value(vpn_container="a", seen_since_s=10.0)
    after = engine_value(vpn_container="a", seen_since_s=30.0)
    cut = view(A, cut_off_s=20.0)
    assert [cut.is_joined(each) for each in (before, after)] == [False, True]
    assert cut.is_joined(engine_value(seen_since_s=10.0)), "it is on no VPN"
