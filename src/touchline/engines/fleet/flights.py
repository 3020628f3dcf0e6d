"""Engines that are being started, counted as engines from the beginning of the start."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine, Iterator
from dataclasses import dataclass, field
from typing import Any

import anyio

from touchline.engines.model.model import Engine


@dataclass(eq=False)
class Flight:
    """Engine that is being started; it counts as an engine from the beginning.

    It changes only through its methods.
    """

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

    def name_instance(self, name: str) -> None:
        """Set the name under which the next attempt starts the instance."""
        self.name = name
        self.died = anyio.Event()

    def place(self, vpn: str | None, *, forwarded: bool) -> None:
        """Set where the engine is started; a forwarded flight stays forwarded."""
        self.vpn = vpn
        self.forwarded = self.forwarded or forwarded

    def run(self, start: Coroutine[Any, Any, Engine]) -> asyncio.Task[Engine]:
        """Run the start in a task of its own, and return the task."""
        self.task = asyncio.get_running_loop().create_task(start)
        return self.task

    def abandon(self) -> None:
        """Leave the start to the next equal order: its client has disconnected."""
        self.is_left = True

    def join(self) -> None:
        """Reserve an abandoned start for another client."""
        self.is_left = False

    def end(self, exit_code: int | None) -> None:
        """Notify the start that its instance has ended."""
        self.exit_code = exit_code
        self.died.set()


class FlightBook:
    """Starts in progress, in their order."""

    def __init__(self) -> None:
        self._flights: dict[Flight, None] = {}

    def __len__(self) -> int:
        return len(self._flights)

    def __iter__(self) -> Iterator[Flight]:
        return iter(self._flights)

    def register_flight(
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
                flight.join()
                return flight
        return None

    def instance_died(self, name: str, exit_code: int | None) -> None:
        """Notify the start of the named instance that the instance has ended."""
        for flight in self._flights:
            if flight.name == name:
                flight.end(exit_code)
