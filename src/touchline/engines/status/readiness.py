"""Readiness of the engines half, and what limits it."""

from __future__ import annotations

from touchline.core.supervision import ReadinessReason, Supervisor
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.record import record_unread
from touchline.engines.provisioning.admission import Admission
from touchline.engines.provisioning.provisioner import Provisioner
from touchline.engines.status.answers import Readiness


class ReadinessReport:
    """Reasons for not being ready, all from memory and without waiting."""

    def __init__(
        self,
        fleet: Fleet,
        admission: Admission,
        provisioner: Provisioner,
        supervisor: Supervisor,
    ) -> None:
        self._fleet = fleet
        self._admission = admission
        self._provisioner = provisioner
        self._supervisor = supervisor

    def current(self) -> Readiness:
        """Return whether this half is operational, and what prevents it."""
        refusals = (self._admission.vpn_refusal(), self._admission.breaker_refusal())
        reasons: list[ReadinessReason] = [
            {"code": each.code, "message": each.message} for each in refusals if each
        ]
        if not self._fleet.freshness.is_current:
            why = self._fleet.freshness.reason or "it has not responded yet"
            reasons.append({"code": "runtime_unavailable", "message": f"The runtime: {why}"})
        if (failure := self._provisioner.last_failure) is not None:
            message = f"The latest start of an engine failed: {failure.message}"
            reasons.append({"code": failure.code, "message": message})
        if not self._fleet.record_is_read:
            blocked = record_unread()
            reasons.append({"code": blocked.code, "message": blocked.message})
        reasons += self._supervisor.reasons()
        # A blocked start does not affect readiness: reads and running streams are served.
        return {"ready": self._fleet.freshness.is_current, "reasons": reasons}
