"""Computation of the actions that bring the fleet to the policy's target. Pure.

Every engine that should be removed (unhealthy, cut off from its network, outdated) is a *leaver*
and does not count. Missing engines are started first, and a leaver is removed once enough others
are ready; only if the maximum leaves no room is one removed earlier. An engine with streams is
removed only if it has been unhealthy for too long, or if its network is dead and its streams with
it.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace

from touchline.engines.control.actions import (
    WHY,
    Action,
    Drain,
    Plan,
    RemoveDead,
    Start,
    Stop,
)
from touchline.engines.control.observation import Observed
from touchline.engines.control.replacements import WELL_S, holds, well_s
from touchline.engines.model.model import Reason
from touchline.engines.provisioning.enginefacts import EngineFacts, is_free
from touchline.engines.settings.tree import EnginesSettings

_REPLACED: frozenset[str] = frozenset({"outdated", "requested"})
"""Reasons for which healthy engines are replaced one after another."""

_PASSING: frozenset[str] = frozenset({"unhealthy", "vpn_lost"})
"""Reasons that can cease to apply, in which case the engine stays."""


MAX_OUTDATED_AT_ONCE = 1
"""Number of outdated engines that are replaced at a time: the others serve meanwhile."""


@dataclass(frozen=True, slots=True)
class Policy:
    """Target state of the fleet; no field has a default, so that each must be stated explicitly."""

    min_engines: int
    min_free_engines: int
    max_engines: int
    auto_delete: bool
    """Whether engines that exceed the target are removed after `grace_period_s`."""
    grace_period_s: float
    idle_ttl_s: float
    unhealthy_grace_s: float
    max_outdated_at_once: int
    """Maximum number of outdated engines replaced at a time."""


def policy_of(settings: EnginesSettings, *, keeps_minimum: bool) -> Policy:
    """Return the policy of the settings; without `keeps_minimum` it has no minimum."""
    scaling = settings.scaling
    return Policy(
        min_engines=min(scaling.min_replicas, settings.max_engines) if keeps_minimum else 0,
        min_free_engines=scaling.min_free_replicas if keeps_minimum else 0,
        max_engines=settings.max_engines,
        auto_delete=scaling.auto_delete,
        grace_period_s=scaling.grace_period_s,
        idle_ttl_s=scaling.idle_ttl_s,
        unhealthy_grace_s=settings.health.unhealthy_grace_period_s,
        max_outdated_at_once=MAX_OUTDATED_AT_ONCE,
    )


def target_of(policy: Policy, demand: int | None) -> int:
    """Return the number of engines wanted: the demand within the limits of the policy."""
    return min(max(policy.min_engines, demand or 0), policy.max_engines)


def plan(observed: Observed, policy: Policy, now_s: float) -> Plan:
    """Return the actions to take now.

    The same input gives the same plan; it is empty while the runtime is unavailable.
    """
    if not observed.reachable:
        return Plan()
    return _Planner(observed, policy, now_s).plan()


def plan_without_record(observed: Observed, policy: Policy, now_s: float) -> Plan:
    """Return the actions while the streams of an earlier server's engines are unknown.

    Only engines missing from the wanted number are started. None is removed, drained or replaced,
    and no more are started because none is known to be free.
    """
    if not observed.reachable:
        return Plan()
    planner = _Planner(observed, policy, now_s, fit=list(observed.engines))
    target = target_of(policy, observed.demand)
    deficit = max(0, target - len(observed.engines) - len(observed.starting))
    alive = len(observed.engines) + len(observed.starting) + observed.stopping
    starts = planner.starts(min(deficit, max(0, policy.max_engines - alive)), target)
    running = len(observed.engines)
    return Plan(tuple(starts), target=target, running=running, fit=running, deficit=deficit)


@dataclass
class _Planner:
    """Computation of a single plan."""

    observed: Observed
    policy: Policy
    now_s: float
    actions: list[Action] = field(default_factory=list)
    leavers: dict[str, Reason] = field(default_factory=dict)
    fit: list[EngineFacts] = field(default_factory=list)

    def plan(self) -> Plan:
        observed, policy = self.observed, self.policy
        self.actions += [RemoveDead(each, name) for each, name in observed.dead]
        lost = {vpn.name for vpn in observed.vpns if vpn.lost}
        spare_vpn = any(vpn.usable for vpn in observed.vpns)
        outdated: list[EngineFacts] = []
        for engine in observed.engines:
            reason = self._reason_to_go(engine, lost, spare_vpn=spare_vpn)
            if reason is not None:
                self.leavers[engine.id] = reason
                continue
            if engine.draining in _PASSING:
                # The reason no longer applies, so the engine counts again.
                engine = replace(engine, draining=None)  # noqa: PLW2901
            self.fit.append(engine)
            if not engine.current:
                outdated.append(engine)
        self._replace_outdated(outdated)
        target = target_of(policy, observed.demand)
        if not self.leavers and not observed.starting and not observed.stopping:
            self._improve(target)
        free = [engine for engine in self.fit if is_free(engine)]
        coming_free = sum(not each.spoken_for for each in observed.starting)
        deficit = max(
            target - len(self.fit) - len(observed.starting),
            policy.min_free_engines - len(free) - coming_free,
            0,
        )
        alive = len(observed.engines) + len(observed.starting) + observed.stopping
        room = max(0, policy.max_engines - alive)
        starts = self.starts(min(deficit, room), target)
        self.actions += starts
        self._remove_leavers(deficit, room, target)
        self._drain(lost)
        self._shrink(target, free)
        return Plan(
            actions=tuple(self.actions),
            target=target,
            running=len(observed.engines),
            fit=len(self.fit),
            free=len(free),
            deficit=deficit,
        )

    def _reason_to_go(
        self, engine: EngineFacts, lost: set[str], *, spare_vpn: bool
    ) -> Reason | None:
        if engine.vpn is not None and not engine.joined and engine.vpn not in lost:
            return None if self._must_wait(engine, "dead_network") else "dead_network"
        # Without another usable VPN, its engines wait for their own to return.
        if engine.vpn in lost and spare_vpn:
            return None if self._must_wait(engine, "vpn_lost") else "vpn_lost"
        if engine.health == "unhealthy" and engine.vpn not in lost:
            held = well_s(engine) < WELL_S and self._must_wait(engine, "unhealthy")
            return None if held else "unhealthy"
        # A begun replacement is completed, because the new engine may be starting.
        if engine.draining == "forwarding":
            return "forwarding"
        return "rebalancing" if engine.draining == "rebalancing" else None

    def _must_wait(self, engine: EngineFacts, reason: Reason) -> bool:
        """Return whether it recently replaced an engine removed for the same reason."""
        place = (reason, engine.vpn)
        return holds(self.observed.rounds, place, engine.seen_since_s, self.now_s)

    def _replace_outdated(self, outdated: list[EngineFacts]) -> None:
        """Replace the next outdated engines, idle ones first, and those already begun."""
        begun = [engine for engine in outdated if engine.draining in _REPLACED]
        # An engine that still serves streams does not block others; pending ones count.
        idle = sum(not engine.streams for engine in begun)
        room = max(0, self.policy.max_outdated_at_once - max(idle, len(self.observed.starting)))
        fresh = [engine for engine in outdated if engine.draining not in _REPLACED]
        fresh.sort(key=lambda engine: (engine.streams > 0 or engine.leased, engine.name))
        for engine in [*begun, *fresh[:room]]:
            self._leave(engine, "requested" if engine.asked_for else "outdated")

    def _improve(self, target: int) -> None:
        """Improve a fleet without other pending actions.

        It adds an engine for a forwarded port, or balances the VPNs.
        """
        if len(self.fit) < target or self.observed.start_limit == 0:
            return
        idle = sorted(
            (engine for engine in self.fit if is_free(engine)),
            key=lambda engine: (engine.idle_since_s or 0.0, engine.name),
        )
        for vpn in self.observed.vpns:
            candidates = [
                engine
                for engine in idle
                if engine.vpn == vpn.name and not self._must_wait(engine, "forwarding")
            ]
            if vpn.usable and vpn.wants_forwarded and candidates:
                self._leave(candidates[0], "forwarding")
                return
        usable = [vpn.name for vpn in self.observed.vpns if vpn.usable]
        if len(usable) < 2:
            return
        counts = self._counts(usable)
        fullest, emptiest = max(usable, key=counts.__getitem__), min(usable, key=counts.__getitem__)
        if counts[fullest] - counts[emptiest] >= 2:
            candidates = [
                e
                for e in idle
                if e.vpn == fullest and not e.forwarded and not self._must_wait(e, "rebalancing")
            ]
            if candidates:
                self._leave(candidates[0], "rebalancing")

    def _leave(self, engine: EngineFacts, reason: Reason) -> None:
        self.fit = [each for each in self.fit if each is not engine]
        self.leavers[engine.id] = reason

    def starts(self, number: int, target: int) -> list[Start]:
        """Return starts up to this number, spread over the VPNs.

        The number is limited by the starts that are allowed now.
        """
        observed = self.observed
        if not observed.may_replace:
            # Unhealthy engines are not replaced now: only other missing ones are started.
            unhealthy = sum(reason == "unhealthy" for reason in self.leavers.values())
            number -= min(number, unhealthy)
        if observed.start_limit is not None:
            number = min(number, observed.start_limit)
        if number <= 0:
            return []
        replaces = next(iter(self.leavers.values()), None)
        why = self._explain_start(replaces, target)
        if not observed.vpns:
            return [Start(None, forwarded=False, replaces=replaces, why=why)] * number
        usable = [vpn for vpn in observed.vpns if vpn.usable]
        if not usable:
            return []
        counts = self._counts(vpn.name for vpn in usable)
        wants = {vpn.name for vpn in usable if vpn.wants_forwarded}
        wants -= {each.vpn for each in observed.starting if each.forwarded and each.vpn}
        starts = []
        for _ in range(number):
            vpn = min(usable, key=lambda each: counts[each.name])  # the first of equals
            counts[vpn.name] += 1
            starts.append(Start(vpn.name, forwarded=vpn.name in wants, replaces=replaces, why=why))
            wants.discard(vpn.name)
        return starts

    def _counts(self, vpns: Iterable[str]) -> dict[str, int]:
        counts = dict.fromkeys(vpns, 0)
        for vpn in [e.vpn for e in self.fit] + [each.vpn for each in self.observed.starting]:
            if vpn in counts:
                counts[vpn] += 1
        return counts

    def _explain_start(self, replaces: Reason | None, target: int) -> str:
        if replaces is not None:
            return f"replacement: {WHY[replaces]}"
        if len(self.fit) + len(self.observed.starting) < target:
            return f"{target} engines wanted"
        return f"{self.policy.min_free_engines} idle engines wanted"

    def _remove_leavers(self, deficit: int, room: int, target: int) -> None:
        """Remove leavers when enough engines are ready without them, or to make room."""
        ready = [engine for engine in self.fit if engine.health == "healthy"]
        ready_free = sum(is_free(engine) for engine in ready)
        enough = len(ready) >= target and ready_free >= self.policy.min_free_engines
        # Leavers that occupy a place which a start requires.
        make_room = max(0, deficit - room)
        can_start = self.observed.start_limit != 0 and (
            not self.observed.vpns or any(vpn.usable for vpn in self.observed.vpns)
        )
        make_room = max(0, make_room - self.observed.stopping) if can_start else 0
        for engine in self.observed.engines:
            reason = self.leavers.get(engine.id)
            if reason is None:
                continue
            if reason == "dead_network" or self._cannot_recover(engine, reason):
                self._stop(engine, reason)
            elif engine.streams or (engine.leased and reason not in {"unhealthy", "vpn_lost"}):
                continue
            elif enough:
                self._stop(engine, reason)
            elif make_room > 0 and (self.observed.may_replace or reason != "unhealthy"):
                self._stop(engine, reason)
                make_room -= 1

    def _cannot_recover(self, engine: EngineFacts, reason: Reason) -> bool:
        since_s = engine.unhealthy_since_s
        return (
            reason == "unhealthy"
            and engine.streams > 0
            and since_s is not None
            and self.now_s - since_s >= self.policy.unhealthy_grace_s
        )

    def _drain(self, lost: set[str]) -> None:
        stopped = {action.engine_id for action in self.actions if isinstance(action, Stop)}
        for engine in self.observed.engines:
            if engine.id in stopped:
                continue
            reason = self.leavers.get(engine.id)
            if reason is None and engine.vpn in lost:
                reason = "vpn_lost"  # it stays until its VPN returns, and gets no new streams
            if reason is not None and engine.draining != reason:
                self.actions.append(Drain(engine.id, reason, f"{engine.name}: {WHY[reason]}"))
            elif reason is None and engine.draining in _PASSING:
                why = f"{engine.name} stays: the reason for its removal no longer applies"
                self.actions.append(Drain(engine.id, None, why))
            elif reason is None and engine.draining in _REPLACED and engine.current:
                self.actions.append(Drain(engine.id, None, f"{engine.name} is up to date again"))

    def _shrink(self, target: int, free: list[EngineFacts]) -> None:
        """Reduce the fleet, from one consistent count.

        It never falls below the wanted number of engines, nor of free ones.
        """
        policy = self.policy
        shrinks = policy.auto_delete or self.observed.demand is not None
        longest_s = policy.grace_period_s if shrinks else policy.idle_ttl_s
        if not shrinks and not self.observed.collect:
            return
        if self.observed.collect:
            longest_s = min(longest_s, policy.idle_ttl_s)
        healthy_free = [engine for engine in free if engine.health == "healthy"]
        healthy = sum(engine.health == "healthy" for engine in self.fit)
        spare = min(healthy - target, len(healthy_free) - policy.min_free_engines)
        if spare <= 0:
            return
        idle = [
            engine
            for engine in healthy_free
            if engine.idle_since_s is not None and self.now_s - engine.idle_since_s >= longest_s
        ]
        idle.sort(key=lambda e: (e.current, e.forwarded, e.idle_since_s or 0.0, e.name))
        for engine in idle[:spare]:
            self._stop(engine, "scale_down" if shrinks else "idle")

    def _stop(self, engine: EngineFacts, reason: Reason) -> None:
        self.actions.append(Stop(engine.id, reason, f"{engine.name}: {WHY[reason]}"))
