"""Assignment of engines to clients, with a lease for each.

The same order gets the same engine.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Callable

from touchline.core.errors import Refused
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.model.labels import IDEMPOTENCY
from touchline.engines.model.model import Engine
from touchline.engines.model.orders import EngineOrder


class Handouts:
    """Assigned and abandoned engines by order, kept for the time of a lease."""

    def __init__(self, fleet: Fleet, *, lease_s: float, now_s: Callable[[], float]) -> None:
        self._fleet = fleet
        self._lease_s = lease_s
        self._now_s = now_s
        self._handed: dict[str, tuple[str, float]] = {}
        self._left: dict[str, tuple[str, float]] = {}
        """Abandoned engines that were ordered and are ready, by order."""

    def hand_out(self, engine: Engine, mark: str | None) -> None:
        """Reserve an engine for a client.

        It is recorded under its idempotency mark, if any.
        """
        until_s = self._now_s() + self._lease_s
        self._fleet.leases.grant(engine.id, secrets.token_hex(8), until_s)
        if mark is not None:
            self._handed[mark] = (engine.id, until_s)

    def find_assigned_engine(self, key: str, mark: str) -> Engine | None:
        """Return the engine that was assigned for this key.

        Raises Refused if the key was used for another request.
        """
        now_s = self._now_s()
        self._handed = {k: (e, at) for k, (e, at) in self._handed.items() if at > now_s}
        found: dict[str, Engine] = {}
        for other, (engine_id, _) in self._handed.items():
            engine = self._fleet.find(engine_id)
            if engine is not None:
                found[other] = engine
        for engine in self._fleet.managed():
            other_mark = engine.labels.get(IDEMPOTENCY)
            if other_mark is not None:
                found[other_mark] = engine
        for other_mark, engine in found.items():
            if other_mark.partition(".")[0] == key:
                if other_mark != mark:
                    raise Refused(
                        "This Idempotency-Key was used for another request; nothing was started."
                        " Use a new key",
                        code="idempotency_key_reused",
                    )
                return engine
        return None

    def keep_left(self, wanted: str, engine: Engine) -> None:
        """Reserve an abandoned engine for the next equal order."""
        until_s = self._now_s() + self._lease_s
        self._left[wanted] = (engine.id, until_s)

    def take_left(self, wanted: str) -> Engine | None:
        """Return the abandoned engine of an equal order.

        None if it has been assigned since.
        """
        now_s = self._now_s()
        self._left = {k: left for k, left in self._left.items() if left[1] > now_s}
        engine_id, _ = self._left.pop(wanted, ("", 0.0))
        engine = self._fleet.find(engine_id)
        if engine is None or engine.draining or not self._fleet.is_free(engine, now_s):
            return None
        return engine


def fingerprint_order(order: EngineOrder, mark: str | None) -> str:
    """Return a key that is equal for orders fulfilled by the same engine."""
    what = [dict(order.labels), dict(order.env), order.image, order.host_port]
    return json.dumps([*what, mark] if mark is not None else what)
