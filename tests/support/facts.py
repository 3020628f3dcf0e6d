"""Facts that the plan decides about; a test says only what it is about."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from touchline.engines.control.observation import Observed, Starting
from touchline.engines.control.plan import Policy
from touchline.engines.provisioning.enginefacts import EngineFacts
from touchline.engines.vpn.facts import VpnFacts

_ENGINE = EngineFacts(
    id="",
    name="",
    health="healthy",
    unhealthy_since_s=None,
    streams=0,
    leased=False,
    idle_since_s=0.0,
    draining=None,
    vpn=None,
    joined=True,
    forwarded=False,
    current=True,
    asked_for=False,
    seen_since_s=0.0,
)
_OBSERVED = Observed(
    reachable=True,
    engines=(),
    dead=(),
    starting=(),
    stopping=0,
    vpns=(),
    demand=None,
    start_limit=None,
    rounds={},
    may_replace=True,
    collect=False,
)
_POLICY = Policy(
    min_engines=1,
    min_free_engines=1,
    max_engines=20,
    auto_delete=False,
    grace_period_s=30.0,
    idle_ttl_s=600.0,
    unhealthy_grace_s=60.0,
    max_outdated_at_once=1,
)


def policy_with(**changes: Any) -> Policy:
    """A policy with the defaults of the settings, but for the changes."""
    return replace(_POLICY, **changes)


def engine_facts(name: str, /, **changes: Any) -> EngineFacts:
    """A healthy, idle engine of this name, but for the changes."""
    return replace(_ENGINE, **{"id": name, "name": name, **changes})


def observed_facts(**changes: Any) -> Observed:
    """An empty fleet whose runtime is reachable, but for the changes."""
    return replace(_OBSERVED, **changes)


def starting_facts(*, spoken_for: bool = False) -> Starting:
    """A start without a VPN."""
    return Starting(vpn=None, forwarded=False, spoken_for=spoken_for)


def vpn_facts(name: str, /, *, usable: bool, **changes: Any) -> VpnFacts:
    """A VPN that is not lost, and without a forwarded port, but for the changes."""
    return replace(VpnFacts(name, usable=usable, lost=False, wants_forwarded=False), **changes)
