"""What the plan decides, as a table of situations."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from support.facts import engine_facts as engine
from support.facts import observed_facts, policy_with, starting_facts, vpn_facts
from touchline.engines.control.actions import Drain, Plan, RemoveDead, Start, Stop
from touchline.engines.control.plan import Policy, plan
from touchline.engines.provisioning.enginefacts import EngineFacts
from touchline.engines.vpn.facts import VpnFacts

NOW_S = 1000.0
POLICY = policy_with(min_free_engines=0, max_engines=5)


def engines(*names: str, **changes: Any) -> tuple[EngineFacts, ...]:
    return tuple(engine(name, **changes) for name in names)


def decide(*fleet: EngineFacts, policy: Policy = POLICY, **observed: Any) -> Plan:
    return plan(observed_facts(engines=fleet, **observed), policy, NOW_S)


def said(made: Plan) -> list[str]:
    """The actions in short."""
    words = []
    for action in made.actions:
        if isinstance(action, Start):
            words.append(f"start {action.vpn or ''}{'+' if action.forwarded else ''}".strip())
        elif isinstance(action, Stop):
            words.append(f"stop {action.engine_id} {action.reason}")
        elif isinstance(action, Drain):
            words.append(f"drain {action.engine_id} {action.reason}")
        elif isinstance(action, RemoveDead):
            words.append(f"remove {action.instance_id}")
    return words


UNWELL: dict[str, Any] = {"health": "unhealthy", "unhealthy_since_s": NOW_S - 1}
BUSY: dict[str, Any] = {"streams": 1, "idle_since_s": None}
FREE_ONE = replace(POLICY, min_free_engines=1)


@pytest.mark.parametrize(
    ("fleet", "policy", "observed", "expected"),
    [
        # The numbers
        ((), POLICY, {}, ["start"]),
        ((), replace(POLICY, min_engines=3), {}, ["start"] * 3),
        ((), replace(POLICY, min_engines=0), {}, []),
        (engines("a"), POLICY, {}, []),
        ((), replace(POLICY, min_engines=3), {"starting": (starting_facts(),) * 2}, ["start"]),
        ((), POLICY, {"demand": 3}, ["start"] * 3),
        ((), POLICY, {"demand": 99}, ["start"] * 5),
        (engines("a", **BUSY), FREE_ONE, {}, ["start"]),
        (engines("a", leased=True), FREE_ONE, {}, ["start"]),
        (engines("a", **BUSY), FREE_ONE, {"starting": (starting_facts(),)}, []),
        (
            engines("a", **BUSY),
            FREE_ONE,
            {"starting": (starting_facts(spoken_for=True),)},
            ["start"],
        ),
        (engines(*"abcde", **BUSY), FREE_ONE, {}, []),
        (engines(*"abcd", **BUSY), FREE_ONE, {"stopping": 1}, []),
        (engines("a", health="unknown"), FREE_ONE, {}, []),
        # Fewer again
        (engines(*"abcd"), POLICY, {}, []),
        (engines(*"abcd"), POLICY, {"demand": 2}, ["stop a scale_down", "stop b scale_down"]),
        (engines(*"abcd", idle_since_s=NOW_S - 5), POLICY, {"demand": 2}, []),
        (engines(*"abcd", leased=True), POLICY, {"demand": 0}, []),
        (engines(*"abcd", **BUSY), POLICY, {"demand": 0}, []),
        (
            engines(*"abc"),
            replace(POLICY, auto_delete=True, min_free_engines=2),
            {},
            ["stop a scale_down"],
        ),
        (engines(*"abc"), replace(POLICY, idle_ttl_s=10.0), {}, []),
        (
            engines(*"abc"),
            replace(POLICY, idle_ttl_s=10.0),
            {"collect": True},
            ["stop a idle", "stop b idle"],
        ),
        # Unwell
        (engines("a", **UNWELL), POLICY, {}, ["start", "drain a unhealthy"]),
        (
            (engine("a", draining="unhealthy", **UNWELL), engine("b")),
            POLICY,
            {},
            ["stop a unhealthy"],
        ),
        (
            (engine("a", draining="unhealthy", **UNWELL), engine("b", health="unknown")),
            POLICY,
            {},
            [],
        ),
        (
            engines("a", draining="unhealthy", streams=1, **UNWELL),
            POLICY,
            {"starting": (starting_facts(),)},
            [],
        ),
        (
            engines(
                "a",
                draining="unhealthy",
                streams=1,
                health="unhealthy",
                unhealthy_since_s=NOW_S - 61,
            ),
            POLICY,
            {"starting": (starting_facts(),)},
            ["stop a unhealthy"],
        ),
        (engines("a", draining="unhealthy"), POLICY, {}, ["drain a None"]),
        (
            engines("a", **UNWELL),
            replace(POLICY, max_engines=1),
            {},
            ["stop a unhealthy"],
        ),
        (engines("a", **UNWELL), POLICY, {"may_replace": False}, ["drain a unhealthy"]),
        (engines("a", **UNWELL), POLICY, {"start_limit": 0}, ["drain a unhealthy"]),
        (
            engines("a", **UNWELL),
            replace(POLICY, max_engines=1),
            {"start_limit": 0},
            ["drain a unhealthy"],
        ),
        # A breaker that is half open lets one through
        ((), replace(POLICY, min_engines=3), {"start_limit": 1}, ["start"]),
        # Outdated
        (
            engines("a", "b", current=False),
            replace(POLICY, min_engines=2),
            {},
            ["start", "drain a outdated"],
        ),
        (
            (engine("a", current=False, draining="outdated"), *engines("b", "c")),
            replace(POLICY, min_engines=2),
            {},
            ["stop a outdated"],
        ),
        (
            engines("a", current=False, draining="outdated", **BUSY),
            POLICY,
            {"starting": (starting_facts(),)},
            [],
        ),
        # One that still serves a stream holds no other up, and starts come one after the other.
        (
            (
                engine("a", current=False, draining="outdated", **BUSY),
                engine("b", current=False),
                engine("c"),
            ),
            replace(POLICY, min_engines=2),
            {},
            ["start", "drain b outdated"],
        ),
        (
            (engine("a", current=False, **BUSY), engine("b")),
            replace(POLICY, min_engines=2),
            {"starting": (starting_facts(),)},
            [],
        ),
        # What is left of the dead
        (engines("a"), POLICY, {"dead": (("x", "x"),)}, ["remove x"]),
    ],
)
def test_what_is_decided(
    fleet: tuple[EngineFacts, ...],
    policy: Policy,
    observed: dict[str, Any],
    expected: list[str],
) -> None:
    assert said(decide(*fleet, policy=policy, **observed)) == expected


def test_nothing_is_decided_while_the_runtime_is_away() -> None:
    observed = observed_facts(
        reachable=False, engines=engines("a", **UNWELL), dead=(("x", "x"),), demand=5
    )
    assert plan(observed, POLICY, NOW_S).actions == ()


V1, V2 = vpn_facts("v1", usable=True), vpn_facts("v2", usable=True)
LOST: dict[str, Any] = {"usable": False, "lost": True}


@pytest.mark.parametrize(
    ("fleet", "vpns", "least", "expected"),
    [
        ((), (V1, V2), 3, ["start v1", "start v2", "start v1"]),
        ((), (replace(V1, **LOST), V2), 2, ["start v2", "start v2"]),
        ((), (replace(V1, usable=False), replace(V2, usable=False)), 2, []),
        ((), (replace(V1, wants_forwarded=True), V2), 3, ["start v1+", "start v2", "start v1"]),
        # Alone, a lost VPN's engines wait for it, and nobody is sent to them.
        (engines("a", vpn="v1"), (replace(V1, **LOST),), 1, ["drain a vpn_lost"]),
        (engines("a", vpn="v1", draining="vpn_lost"), (replace(V1, **LOST),), 1, []),
        (engines("a", vpn="v1", **UNWELL), (replace(V1, **LOST),), 1, ["drain a vpn_lost"]),
        (engines("a", vpn="v1", draining="vpn_lost"), (V1,), 1, ["drain a None"]),
        # With another one they are replaced there.
        (
            (engine("a", vpn="v1"), engine("b", vpn="v2")),
            (replace(V1, **LOST), V2),
            2,
            ["start v2", "drain a vpn_lost"],
        ),
        (
            (engine("a", vpn="v1", draining="vpn_lost", **BUSY), *engines("b", "c", vpn="v2")),
            (replace(V1, **LOST), V2),
            2,
            [],
        ),
        (
            (engine("a", vpn="v1", draining="vpn_lost"), engine("b", vpn="v2")),
            (V1, V2),
            2,
            ["drain a None"],
        ),
        # A network that was made anew is dead for those who had joined it, streams or not.
        (
            engines("a", vpn="v1", joined=False, **BUSY),
            (V1,),
            1,
            ["start v1", "stop a dead_network"],
        ),
        # A forwarded port that nobody carries, and a better balance: one at a time, idle ones.
        (
            engines("a", vpn="v1"),
            (replace(V1, wants_forwarded=True),),
            1,
            ["start v1+", "drain a forwarding"],
        ),
        (engines("a", vpn="v1", **BUSY), (replace(V1, wants_forwarded=True),), 1, []),
        (engines(*"abc", vpn="v1"), (V1, V2), 3, ["start v2", "drain a rebalancing"]),
        ((*engines("a", "b", vpn="v1"), engine("c", vpn="v2")), (V1, V2), 3, []),
    ],
)
def test_where_engines_are_put(
    fleet: tuple[EngineFacts, ...],
    vpns: tuple[VpnFacts, ...],
    least: int,
    expected: list[str],
) -> None:
    assert said(decide(*fleet, policy=replace(POLICY, min_engines=least), vpns=vpns)) == expected


@pytest.mark.parametrize(
    ("fleet", "replaces"),
    [
        ((), None),
        (engines("a", **UNWELL), "unhealthy"),
        (engines("a", current=False), "outdated"),
        (engines("a", current=False, asked_for=True), "requested"),
    ],
)
def test_a_start_says_why_the_one_goes_that_it_replaces(
    fleet: tuple[EngineFacts, ...], replaces: str | None
) -> None:
    starts = [action for action in decide(*fleet).actions if isinstance(action, Start)]
    assert [start.replaces for start in starts] == [replaces]
