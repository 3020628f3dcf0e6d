"""Engines that are being started, counted as engines from the beginning of the start."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import anyio

from touchline.engines.model.model import Engine


@dataclass(eq=False)
class Flight:
    """Engine that is being started; it counts as an engine from the beginning."""

    vpn: str | None
    forwarded: bool
    for_client: bool
    wanted: str | None = None
    """Key of the order, so that an equal order can join it.

    None: it was not ordered by a client.
    """
    is_left: bool = False
    """Whether its client has disconnected and no other has joined the start yet."""
    task: asyncio.Task[Engine] | None = None
    name: str = ""
    died: anyio.Event = field(default_factory=anyio.Event)
    exit_code: int | None = None


class FlightBook:
    """Starts in progress, in their order."""

    def __init__(self) -> None:
        self._flights: dict[Flight, None] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def __iter__(self) -> Iterator[Flight]:
        return iter(self._flights)

    def board(
        self, vpn: str | None, *, forwarded: bool, for_client: bool, wanted: str | None = None
    ) -> Flight:
        """Register an engine that is going to be started; `leave` must follow."""
        flight = Flight(vpn, forwarded, for_client, wanted)
        self._flights[flight] = None
        return flight

    def leave(self, flight: Flight) -> None:
        """Unregister an engine; may be repeated."""
        self._flights.pop(flight, None)

    def take_left(self, wanted: str) -> Flight | None:
        """Return an abandoned start of an equal order, reserved for the caller."""
        for flight in self._flights:
            if flight.wanted == wanted and flight.is_left and flight.task is not None:
                flight.is_left = False
                return flight
        return None

    def instance_died(self, name: str, exit_code: int | None) -> None:
        """Notify the start of the named instance that the instance has ended."""
        for flight in self._flights:
            if flight.name == name:
                flight.exit_code = exit_code
                flight.died.set()
