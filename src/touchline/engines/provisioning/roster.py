"""Members of the fleet, with their streams, ports and records."""

from __future__ import annotations

from collections.abc import Iterable

from touchline.engines.fleet.adoption import facts_of
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.ports import PortBook
from touchline.engines.fleet.store import Store
from touchline.engines.model.model import Engine, Instance
from touchline.engines.streams.reports import StreamReports


class Roster:
    """Members of the fleet: what belongs to an engine comes and goes with it."""

    def __init__(self, fleet: Fleet, streams: StreamReports, ports: PortBook, store: Store) -> None:
        self._fleet = fleet
        self._streams = streams
        self._ports = ports
        self._store = store

    def adopt(self, engine: Engine, instance: Instance) -> None:
        """Note the ports of an engine that was not started by this server."""
        self._ports.adopt(engine.id, instance.labels)

    def owners_of_ports(self) -> Iterable[str]:
        """Return the ids of all instances that own a port."""
        return self._ports.owners()

    def take_out(self, engine_id: str, reason: str) -> int:
        """Take an engine out of the fleet, end its streams, and return their number."""
        self._fleet.remove(engine_id)
        return self._streams.end_lost(engine_id, reason)

    def release_ports(self, instance_id: str) -> None:
        """Release the ports of an instance that no longer runs."""
        self._ports.release(instance_id)

    def forget(self, engine_id: str) -> None:
        """Delete an engine from the record."""
        self._store.forget_engine(engine_id)

    def settle(self, remembered: Iterable[str]) -> None:
        """End the streams of vanished engines, and update the record.

        `remembered` are the engines of an earlier server. Call it when both the running instances
        and the earlier server's record are known.
        """
        ids = {engine.id for engine in self._fleet.engines()}
        for stream in self._fleet.started():
            if stream.container_id not in ids:
                self._streams.end_noticed(stream, "engine_gone")
        for engine in self._fleet.managed():
            self._store.note_engine(engine.id, facts_of(engine))
        for engine_id in set(remembered) - ids:
            self._store.forget_engine(engine_id)
