"""Whatever the fleet is: the plan keeps its promises, and comes to rest."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from hypothesis import given, settings
from hypothesis import strategies as st

from support.facts import engine_facts, observed_facts, policy_with, vpn_facts
from touchline.engines.control.actions import Drain, RemoveDead, Start, Stop
from touchline.engines.control.observation import Observed
from touchline.engines.control.plan import Policy, plan
from touchline.engines.model.model import EngineHealth
from touchline.engines.provisioning.enginefacts import EngineFacts

GRACE_S = 60.0
PASSES = 60

times = st.floats(0, 2000, allow_nan=False)
vpn_names = st.sampled_from([None, "v1", "v2"])


@st.composite
def facts(draw: st.DrawFn, number: int, *, behind: bool) -> EngineFacts:
    health: EngineHealth = draw(st.sampled_from(["healthy", "unhealthy", "unknown"]))
    streams = draw(st.integers(0, 2))
    return engine_facts(
        f"e{number}",
        health=health,
        unhealthy_since_s=draw(times) if health == "unhealthy" else None,
        streams=streams,
        leased=draw(st.booleans()),
        idle_since_s=None if streams else draw(times),
        draining=draw(st.sampled_from([None, None, "unhealthy", "outdated", "vpn_lost"])),
        vpn=draw(st.sampled_from(["v1", "v2"])) if behind else None,
        joined=draw(st.booleans()) if behind else True,
        forwarded=draw(st.booleans()),
        current=draw(st.booleans()),
    )


@st.composite
def situations(draw: st.DrawFn) -> tuple[Observed, Policy]:
    behind = draw(st.booleans())
    most = draw(st.integers(0, 8))
    fleet = tuple(draw(facts(number, behind=behind)) for number in range(draw(st.integers(0, 8))))
    policy = policy_with(
        min_engines=draw(st.integers(0, most)),
        min_free_engines=draw(st.integers(0, most)),
        max_engines=most,
        auto_delete=draw(st.booleans()),
        grace_period_s=draw(st.sampled_from([0.0, 30.0])),
        unhealthy_grace_s=GRACE_S,
    )
    vpns = tuple(
        vpn_facts(name, usable=draw(st.booleans()), wants_forwarded=draw(st.booleans()))
        for name in (("v1", "v2") if behind else ())
    )
    observed = observed_facts(
        reachable=draw(st.booleans()),
        engines=fleet,
        dead=draw(st.sampled_from([(), (("d", "d"),)])),
        vpns=tuple(replace(vpn, lost=not vpn.usable) for vpn in vpns),
        demand=draw(st.sampled_from([None, 0, 3, 20])),
        start_limit=draw(st.sampled_from([None, None, 0, 1])),
    )
    return observed, policy


@given(situations())
@settings(max_examples=400, deadline=None)
def test_what_is_promised_holds(situation: tuple[Observed, Policy]) -> None:
    observed, policy = situation
    now_s = 2000.0
    made = plan(observed, policy, now_s)
    if not observed.reachable:
        assert made.actions == ()
        return
    by_id = {engine.id: engine for engine in observed.engines}
    stops = [action for action in made.actions if isinstance(action, Stop)]
    starts = [action for action in made.actions if isinstance(action, Start)]
    assert len(observed.engines) + len(starts) <= max(policy.max_engines, len(observed.engines))
    assert len({stop.engine_id for stop in stops}) == len(stops)
    for stop in stops:
        engine = by_id[stop.engine_id]
        if engine.streams:
            hopeless = engine.unhealthy_since_s is not None
            assert not engine.joined or (
                hopeless and now_s - (engine.unhealthy_since_s or 0) >= GRACE_S
            )
    if observed.start_limit is not None:
        assert len(starts) <= observed.start_limit
    # For convenience alone nobody goes below what is wanted.
    convenient = sum(stop.reason in {"scale_down", "idle"} for stop in stops)
    fit = sum(e.health == "healthy" for e in observed.engines)
    if convenient:
        assert fit - convenient >= min(policy.min_engines, policy.max_engines)


@given(situations())
@settings(max_examples=200, deadline=None)
def test_it_comes_to_rest(situation: tuple[Observed, Policy]) -> None:
    """In a world in which everything that is begun succeeds and streams end at last."""
    observed, policy = situation
    observed = replace(observed, reachable=True, start_limit=None)
    names = (f"n{number}" for number in count())
    now_s = 2000.0
    for _ in range(PASSES):
        made = plan(observed, policy, now_s)
        if not made.actions:
            break
        observed = after(observed, made.actions, names, now_s)
        now_s += 70.0
    else:
        raise AssertionError(f"never at rest: {made.actions}")
    usable = [vpn for vpn in observed.vpns if vpn.usable]
    if observed.vpns and not usable:
        return
    healthy = [e for e in observed.engines if e.health == "healthy" and e.draining is None]
    assert len(observed.engines) <= max(policy.max_engines, len(situation[0].engines))
    wanted = min(policy.min_engines, policy.max_engines)
    assert len(healthy) >= wanted or len(observed.engines) >= policy.max_engines


def after(
    observed: Observed, actions: tuple[object, ...], names: Iterator[str], now_s: float
) -> Observed:
    fleet = {engine.id: engine for engine in observed.engines}
    vpns = {vpn.name: vpn for vpn in observed.vpns}
    dead = dict(observed.dead)
    for action in actions:
        if isinstance(action, Start):
            name = next(names)
            fleet[name] = engine_facts(
                name, vpn=action.vpn, forwarded=action.forwarded, idle_since_s=now_s
            )
            if action.forwarded and action.vpn is not None:
                vpns[action.vpn] = replace(vpns[action.vpn], wants_forwarded=False)
        elif isinstance(action, Stop):
            del fleet[action.engine_id]
        elif isinstance(action, Drain):
            fleet[action.engine_id] = replace(fleet[action.engine_id], draining=action.reason)
        elif isinstance(action, RemoveDead):
            del dead[action.instance_id]
    # Time passes: what was begun is ready, clients leave, and streams end.
    calm = tuple(
        replace(
            engine,
            leased=False,
            streams=0,
            idle_since_s=engine.idle_since_s if engine.idle_since_s is not None else now_s,
            health="healthy" if engine.health == "unknown" else engine.health,
        )
        for engine in fleet.values()
    )
    return replace(observed, engines=calm, dead=tuple(dead.items()), vpns=tuple(vpns.values()))
