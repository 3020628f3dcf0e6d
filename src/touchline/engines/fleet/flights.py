"""Engines that are being started: each counts as an engine from the moment it is boarded."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import anyio

from touchline.engines.model.model import Engine


@dataclass(eq=False)
class Flight:
    """An engine on its way; it counts as an engine from the moment it is boarded."""

    vpn: str | None
    forwarded: bool
    for_client: bool
    wanted: str | None = None
    """What was ordered, so that an equal order can join it; None: nobody ordered it."""
    is_left: bool = False
    """Whoever ordered it has gone, and nobody has joined it yet."""
    task: asyncio.Task[Engine] | None = None
    name: str = ""
    died: anyio.Event = field(default_factory=anyio.Event)
    exit_code: int | None = None


class FlightBook:
    """The starts that are under way, in their order."""

    def __init__(self) -> None:
        self._flights: dict[Flight, None] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def __iter__(self) -> Iterator[Flight]:
        return iter(self._flights)

    def board(
        self, vpn: str | None, *, forwarded: bool, for_client: bool, wanted: str | None = None
    ) -> Flight:
        """Count an engine that is going to be started; `leave` must follow."""
        flight = Flight(vpn, forwarded, for_client, wanted)
        self._flights[flight] = None
        return flight

    def leave(self, flight: Flight) -> None:
        """Stop counting an engine; calling it again does no harm."""
        self._flights.pop(flight, None)

    def take_left(self, wanted: str) -> Flight | None:
        """Return the start that an equal order left behind: nobody else gets it then."""
        for flight in self._flights:
            if flight.wanted == wanted and flight.is_left and flight.task is not None:
                flight.is_left = False
                return flight
        return None

    def instance_died(self, name: str, exit_code: int | None) -> None:
        """Tell the start of the instance of this name that it has ended."""
        for flight in self._flights:
            if flight.name == name:
                flight.exit_code = exit_code
                flight.died.set()
