"""Actions of a plan, and the reasons for removing engines."""

from __future__ import annotations

from dataclasses import dataclass

from touchline.engines.model.model import Reason

WHY: dict[Reason, str] = {
    "unhealthy": "it does not answer",
    "dead_network": "its VPN container was recreated, so its network no longer exists",
    "vpn_lost": "its VPN is not connected",
    "outdated": "it runs with an outdated configuration",
    "requested": "removal was requested",
    "forwarding": "it is replaced by an engine with the VPN's forwarded port",
    "rebalancing": "the other VPN has fewer engines",
    "scale_down": "there are more engines than requested",
    "idle": "idle longer than engines.scaling.idle_ttl_s",
}
"""Text of each reason in events and answers."""

BACKS_OFF: frozenset[str] = frozenset(
    {"unhealthy", "dead_network", "vpn_lost", "forwarding", "rebalancing"}
)
"""Reasons for which repeated replacement is delayed, longer each time."""


@dataclass(frozen=True, slots=True)
class Start:
    """Start of an engine."""

    vpn: str | None
    forwarded: bool
    replaces: Reason | None
    """Reason why the replaced engine is removed; None if no engine is replaced."""
    why: str


@dataclass(frozen=True, slots=True)
class Stop:
    """Removal of an engine; its streams end with the reason."""

    engine_id: str
    reason: Reason
    why: str


@dataclass(frozen=True, slots=True)
class Drain:
    """Exclusion of an engine from new work; `why` None ends the exclusion."""

    engine_id: str
    reason: str | None
    why: str


@dataclass(frozen=True, slots=True)
class RemoveDead:
    """Removal of the remains of an instance that has ended."""

    instance_id: str
    name: str


Action = Start | Stop | Drain | RemoveDead


@dataclass(frozen=True, slots=True)
class Plan:
    """Actions, and the counts they are based on."""

    actions: tuple[Action, ...] = ()
    target: int = 0
    running: int = 0
    fit: int = 0
    free: int = 0
    deficit: int = 0
