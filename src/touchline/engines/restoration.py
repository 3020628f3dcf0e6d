"""Restoration of an earlier server's record, and recording for the next one.

The record is restored as soon as it can be read.
"""

from __future__ import annotations

import logging
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from touchline.core.errors import Failed
from touchline.core.supervision import Supervisor
from touchline.engines.control.control import DEMAND
from touchline.engines.control.reconciler import Reconciler
from touchline.engines.control.reprovision import NOTHING_LEFT, Reprovision
from touchline.engines.fleet.adoption import facts_of, restore_external, validate_facts
from touchline.engines.fleet.failures import BREAKERS, FailureRecord
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.record import Load, read_record
from touchline.engines.fleet.rows import Loaded
from touchline.engines.fleet.samples import SampleBook
from touchline.engines.fleet.store import Store
from touchline.engines.model.clock import Clock
from touchline.engines.provisioning.runtimesync import RuntimeSync

log = logging.getLogger(__name__)

REPROVISION = "reprovision"


@dataclass
class Restoration:
    """Single restoration of an earlier server's state, and recording for the next server."""

    fleet: Fleet
    store: Store
    samples: SampleBook
    runtime_sync: RuntimeSync
    reconciler: Reconciler
    reprovision: Reprovision
    failures: FailureRecord
    supervisor: Supervisor
    load: Load
    clock: Clock
    _restored: list[str] = field(default_factory=list)
    """Streams of an earlier server."""

    async def run(self) -> None:
        """Read the record, if it has not been read yet.

        It may be called again after a failure.
        """
        if not self.fleet.record_is_read:
            await read_record(self.load, self.take_up)
            log.info("Restoring engines and streams of an earlier server")
            self.fleet.plan_outdated.mark()

    def try_to_take_up(self, left: Loaded | None) -> None:
        """Restore the record at once if it is known and nothing prevents it.

        Otherwise `run` does so later.
        """
        if left is not None:
            try:
                self.take_up(left)
            except Exception as error:  # noqa: BLE001  (the server starts in any case)
                self.supervisor.note("state restore", error)
        if not self.fleet.record_is_read:
            self.store.hold()

    def take_up(self, left: Loaded) -> None:
        """Restore an earlier server's state into the fleet and its control.

        After an error, a repeated call restores the rest.
        """
        now, now_s = self.clock.now(), self.clock.now_s()
        facts_by_id = dict(self._understood(left.engines))
        for engine_id, facts in facts_by_id.items():
            external = restore_external(engine_id, facts, now=now, now_s=now_s)
            if external is not None and self.fleet.find(engine_id) is None:
                self.fleet.put(external)
        for stream in left.streams:
            if self.fleet.find_stream(stream.id) is None:
                self.fleet.put_stream(stream)
                self._restored.append(stream.id)
        self._take_up_state(left.state)
        self.fleet.note_record(is_read=True)
        try:
            self.runtime_sync.remember(facts_by_id)
        except BaseException:
            self.fleet.note_record(is_read=False)
            raise
        self.store.release()

    def _understood(self, engines: Mapping[str, Any]) -> Iterator[tuple[str, Mapping[str, Any]]]:
        """Yield the valid facts of each engine.

        An invalid entry does not affect the others.
        """
        for engine_id, value in engines.items():
            try:
                yield engine_id, validate_facts(value)
            except TypeError as error:
                self.supervisor.note("state restore", error, about=f"engine {engine_id}")

    def _take_up_state(self, state: Mapping[str, Any]) -> None:
        """Restore each part of the state.

        A part that cannot be parsed is skipped, and the others are restored.
        """

        def failures() -> None:
            self.failures.restore(state.get(BREAKERS, {}))

        def reprovision() -> None:
            self.reprovision.resume(state.get(REPROVISION, NOTHING_LEFT))

        def demand() -> None:
            number = state.get(DEMAND)
            if self.reconciler.demand is None and isinstance(number, int) and number >= 0:
                self.reconciler.set_demand(number)

        for take_up in (failures, reprovision, demand):
            try:
                take_up()
            except Exception as error:  # noqa: BLE001  (the record may contain anything)
                self.supervisor.note("state restore", error, about=take_up.__name__)

    async def restore_samples(self) -> None:
        """Restore earlier samples in the background, once the record is read."""
        for stream_id in self._restored:
            if self.fleet.find_stream(stream_id) is None:
                continue
            try:
                blocks = await self.store.load_samples(stream_id)
            except Failed as error:
                log.warning("Earlier samples cannot be read: %s", error.message)
                return
            try:
                newest = self.samples.restore(stream_id, blocks)
            except Exception as error:  # noqa: BLE001  (other streams are still restored)
                self.supervisor.note("sample restore", error, about=f"stream {stream_id}")
                continue
            if newest is not None:
                self.fleet.measured(stream_id, newest)

    def note_everything(self) -> None:
        """Write all current state to the record, after the database was replaced."""
        self.store.note_streams(self.fleet.streams(), ())
        for engine in self.fleet.engines():
            self.store.note_engine(engine.id, facts_of(engine))
        self.failures.save()
        self.store.note_state(REPROVISION, self.reprovision.left)
        if self.reconciler.demand is not None:
            self.store.note_state(DEMAND, self.reconciler.demand)
