"""Overall state of the engines half for proxies, dashboards and health checks."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

from touchline.core.errors import Blocked
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.clock import Clock
from touchline.engines.provisioning.admission import Admission
from touchline.engines.provisioning.breaker import whole
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.status.answers import (
    BlockedReason,
    EngineHealth,
    OrchestratorStatus,
    RuntimeFreshness,
)
from touchline.engines.variants.variantstore import Recipes
from touchline.engines.vpn.answers import VpnStatus
from touchline.engines.vpn.rendering import NO_EMERGENCY, status_json
from touchline.engines.vpn.vpn import VpnWatch


class StatusBoard:
    """Status answers, all from memory and without waiting."""

    def __init__(
        self,
        *,
        settings: EnginesSettings,
        fleet: Fleet,
        admission: Admission,
        vpn: VpnWatch | None,
        recipes: Recipes,
        target: Callable[[], int],
        debug: bool,
        clock: Clock,
    ) -> None:
        """Read the wanted number of engines from `target`."""
        self._settings = settings
        self._fleet = fleet
        self._admission = admission
        self._breakers = admission.breakers
        self._vpn = vpn
        self._recipes = recipes
        self._target = target
        self._debug = debug
        self._now, self._now_s = clock.now, clock.now_s

    def orchestrator(self) -> OrchestratorStatus:
        """Return the body of `GET /orchestrator/status`: whether a client can expect an engine."""
        ours = self._fleet.managed()
        healthy = sum(engine.health == "healthy" for engine in ours)
        unhealthy = sum(engine.health == "unhealthy" for engine in ours)
        used = [engine for engine in ours if self._fleet.started_on(engine.id)]
        general = self._breakers.general
        blocked = self._blocked()
        vpn = self.vpn()
        scaling = self._settings.scaling
        return {
            "status": self._word(len(ours), blocked),
            "engines": {
                "total": len(self._fleet.engines()),
                "running": len(ours),
                "healthy": healthy,
                "unhealthy": unhealthy,
                "starting": len(self._fleet.flights),
            },
            "streams": {
                "active": len(self._fleet.started()),
                "total": sum(1 for _ in self._fleet.streams()),
            },
            "capacity": {
                "total": len(self._fleet.engines()),
                "used": len(used),
                "available": self._available(),
                "max_replicas": scaling.max_replicas,
                "min_replicas": scaling.min_replicas,
                "target": self._target(),
            },
            "vpn": {
                "enabled": vpn["enabled"],
                "connected": vpn["connected"],
                "health": vpn["health"],
                "container": vpn["container"],
                "forwarded_port": vpn["forwarded_port"],
            },
            "provisioning": {
                "can_provision": blocked is None,
                "circuit_breaker_state": general.state(self._now_s()),
                "last_failure": general.to_json(self._now_s())["last_failure_time"],
                "blocked_reason": blocked.message if blocked is not None else None,
                "blocked_reason_details": reason_json(blocked) if blocked is not None else None,
            },
            "config": {
                "auto_delete": scaling.auto_delete,
                "grace_period_s": whole(scaling.grace_period_s),
                "engine_variant": self._recipes.current().name,
                "debug_mode": self._debug,
            },
            "runtime": self.runtime(),
            "timestamp": self._now().isoformat(),
        }

    def _available(self) -> int:
        """Return the number of usable managed engines without a stream."""
        return sum(
            engine.health != "unhealthy"
            and self._fleet.gets_work(engine)
            and not self._fleet.started_on(engine.id)
            for engine in self._fleet.managed()
        )

    def health(self) -> EngineHealth:
        """Return the body of `GET /health/status`."""
        ours = self._fleet.managed()
        return {
            "total_engines": len(ours),
            "healthy_engines": sum(engine.health == "healthy" for engine in ours),
            "unhealthy_engines": sum(engine.health == "unhealthy" for engine in ours),
            "marked_for_replacement": sum(engine.draining is not None for engine in ours),
            "minimum_required": self._settings.scaling.min_replicas,
            "health_check_interval": whole(self._settings.health.interval_s),
            "circuit_breakers": self._breakers.to_json(),
        }

    def vpn(self) -> VpnStatus:
        """Return the body of `GET /vpn/status`."""
        if self._vpn is None:
            return status_json((), NO_EMERGENCY, redundant=False)
        return self._vpn.status_json(self._now())

    def public_ip(self) -> str:
        """Return the primary VPN's public address. Raises Blocked if it is unknown."""
        if self._vpn is None:
            raise Blocked("No VPN is configured", code="vpn_disabled", can_retry=False)
        return self._vpn.public_ip()

    def runtime(self) -> RuntimeFreshness:
        """Return whether the runtime is reachable, and the age of the data shown of it."""
        freshness = self._fleet.freshness
        stale_s = freshness.stale_s(self._now_s())
        return {
            "reachable": freshness.is_current,
            "stale_s": None if stale_s is None else round(stale_s, 3),
            "reason": None if freshness.is_current else freshness.reason,
        }

    def _blocked(self) -> Blocked | None:
        if not self._fleet.freshness.is_current:
            return Blocked(
                "The runtime cannot be reached: no new engines until it is available again",
                code="runtime_unavailable",
                eta_s=5.0,
            )
        return self._admission.refusal()

    def _word(
        self, running: int, blocked: Blocked | None
    ) -> Literal["healthy", "degraded", "unavailable"]:
        if running == 0:
            return "unavailable"
        if blocked is not None and blocked.code != "max_capacity":
            return "degraded"
        return "healthy"


def reason_json(blocked: Blocked) -> BlockedReason:
    """Return the reason of a refusal as shown to clients."""
    return {
        "code": blocked.code,
        "message": blocked.message,
        "recovery_eta_seconds": None if blocked.eta_s is None else round(blocked.eta_s),
        "can_retry": blocked.can_retry,
        "should_wait": blocked.should_wait,
    }
