"""Who is connected, who may come in, and who has to go: the one list of HTTP connections.

Whatever strangers do, the number of connections is bounded, and a place that somebody only sits on
goes to somebody who asks for something. An address is of IPv6 a whole network, as whoever has one
of its addresses has them all (`network_of`). Times do not run while this server stands still.
"""

from __future__ import annotations

import ipaddress
import logging
from collections import Counter, OrderedDict
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from typing import Literal, Protocol

import anyio

from touchline.core.metrics import Family, Metrics
from touchline.core.storm import Storm
from touchline.core.tasks import keep_running
from touchline.ipc.attempts import network_of
from touchline.ipc.listening import ListeningClock

log = logging.getLogger(__name__)

State = Literal["waiting", "busy", "resting", "lingering", "socket"]

LIMITS_S: Mapping[State, float] = {
    "waiting": 10.0,  # for the whole head of a request, from the first byte or the connection on
    "lingering": 5.0,  # for a client to read why it was refused
    "resting": 75.0,  # uvicorn's own limit is shorter
}
BODY_S = 60.0
"""A body is 64 KiB at the most; who needs longer than this holds a place for nothing."""

UNREAD_S = 120.0
"""So long a client may take to read what one write has put before it: half a megabyte at most."""

_LOOK_S = 0.2
_RELIEF = 32
_RELAX_S = 30.0
"""So long after descriptors ran out, more connections are taken in again."""


class Guest(Protocol):
    """A connection. `dismiss` ends it, politely or `at_once`."""

    @property
    def has_input(self) -> bool:
        """Whether something has arrived that was not read yet."""

    def dismiss(self, *, at_once: bool) -> None:
        """End it."""


@dataclass(frozen=True)
class Refusal:
    """Why somebody does not come in: an HTTP status, a code and a sentence."""

    status: int
    code: str
    detail: str


FULL = Refusal(503, "too_many_connections", "The server has too many connections. Try again.")
TOO_MANY_OF_YOURS = Refusal(
    429, "too_many_connections", "Too many connections from this address. Close some, or wait."
)


class Door:
    """The connections there are. Belongs to the event loop; `open` runs its clock."""

    def __init__(
        self,
        *,
        most: int,
        most_an_address: int,
        trusted: Iterable[str] = (),
        clock: ListeningClock | None = None,
    ) -> None:
        self.most = self._configured = most
        self._exhausted_at_s = 0.0
        self._most_an_address = most_an_address
        self._trusted = Addresses(trusted)
        self._clock = clock or ListeningClock()
        self._states: dict[State, OrderedDict[Guest, float]] = {
            state: OrderedDict() for state in ("waiting", "busy", "resting", "lingering", "socket")
        }
        self._state_of: dict[Guest, State] = {}
        self._address_of: dict[Guest, str] = {}
        self._by_address: Counter[str] = Counter()
        self._bodies: OrderedDict[Guest, float] = OrderedDict()
        self._unread: OrderedDict[Guest, float] = OrderedDict()
        self.refused: Counter[str] = Counter()
        self.dismissed: Counter[str] = Counter()
        self._storm = Storm(log, "Connections are refused")

    # ------------------------------------------------------------------ coming and going

    def refusal_for(self, address: str, own_address: str = "") -> Refusal | None:
        """Return why a connection from there may not come in; None where it may.

        `own_address` is the one of this machine that was connected to. Where all places are taken,
        who has sat there longest without asking anything goes.
        """
        limited = not is_here(address, own_address) and address not in self._trusted
        if limited and self._by_address[network_of(address)] >= self._most_an_address:
            return self._refuse(TOO_MANY_OF_YOURS, "address", address)
        if len(self._state_of) >= self.most and not self.relieve(1):
            return self._refuse(FULL, "full", f"{len(self._state_of)} are in use")
        return None

    def entered(self, guest: Guest, address: str) -> None:
        """Note a new connection; one that is known already stays as it is."""
        if guest in self._state_of:
            return
        network = self._address_of[guest] = network_of(address)
        self._by_address[network] += 1
        self._put(guest, "waiting")

    def left(self, guest: Guest) -> None:
        """Forget a connection that is gone."""
        state = self._state_of.pop(guest, None)
        if state is None:
            return
        del self._states[state][guest]
        self._bodies.pop(guest, None)
        self._unread.pop(guest, None)
        address = self._address_of.pop(guest)
        self._by_address[address] -= 1
        if not self._by_address[address]:
            del self._by_address[address]

    def move(self, guest: Guest, state: State) -> None:
        """Note what a connection does now; its time begins anew unless it did that already."""
        before = self._state_of.get(guest)
        if before is None or before == state:
            return
        del self._states[before][guest]
        self._put(guest, state)

    def body(self, guest: Guest, *, expected: bool) -> None:
        """Note that a body is expected, or complete."""
        self._time(self._bodies, guest, running=expected)

    def unread(self, guest: Guest, *, waits: bool) -> None:
        """Note that a client has to read before more can be sent, or that it has."""
        self._time(self._unread, guest, running=waits)

    def relieve(self, count: int = _RELIEF) -> int:
        """End the connections that have asked nothing for longest; returns how many."""
        ended = 0
        for state in ("lingering", "waiting", "resting"):
            for guest in list(self._states[state])[: count - ended]:
                self._dismiss(guest, "room", at_once=True)
                ended += 1
        return ended

    def exhausted(self) -> None:
        """Make room where the process has no descriptors left, and keep it free for a while.

        Others need them more than connections do: files of the recording, workers, the database.
        """
        self.relieve()
        self.most = max(1, min(self.most, len(self._state_of)))
        self._exhausted_at_s = self._clock()

    def _put(self, guest: Guest, state: State) -> None:
        self._state_of[guest] = state
        self._states[state][guest] = self._clock()

    def _time(self, times: OrderedDict[Guest, float], guest: Guest, *, running: bool) -> None:
        if not running:
            times.pop(guest, None)
        elif guest in self._state_of:
            times.setdefault(guest, self._clock())

    def _refuse(self, refusal: Refusal, reason: str, detail: str) -> Refusal:
        self.refused[reason] += 1
        self._storm.note(f"{refusal.detail} ({detail})")
        return refusal

    def _dismiss(self, guest: Guest, reason: str, *, at_once: bool) -> None:
        self.dismissed[reason] += 1
        guest.dismiss(at_once=at_once)
        if at_once:
            self.left(guest)

    # ------------------------------------------------------------------ time

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Meanwhile whoever is too slow is dismissed."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(keep_running, "connections", self._watch, every_s=_LOOK_S))
            yield
            tasks.cancel_scope.cancel()

    async def _watch(self) -> None:
        self.look()

    def look(self) -> None:
        """Dismiss whoever has used its time up; who has said something unread has not."""
        now_s = self._clock()
        if self.most < self._configured and now_s - self._exhausted_at_s > _RELAX_S:
            self.most = min(self._configured, self.most * 2)
            self._exhausted_at_s = now_s
        for state, limit_s in LIMITS_S.items():
            self._expire(self._states[state], now_s - limit_s, state, at_once=state != "waiting")
        self._expire(self._bodies, now_s - BODY_S, "body", at_once=False)
        self._expire(self._unread, now_s - UNREAD_S, "unread", at_once=True)

    def _expire(
        self, times: OrderedDict[Guest, float], before_s: float, reason: str, *, at_once: bool
    ) -> None:
        """The oldest come first, because each of them has the same limit."""
        late: list[Guest] = []
        for guest, since_s in times.items():
            if since_s >= before_s:
                break
            late.append(guest)
        for guest in late:
            if reason in {"waiting", "resting", "body"} and guest.has_input:
                continue
            self._dismiss(guest, reason, at_once=at_once)

    # ------------------------------------------------------------------ told

    def count_into(self, metrics: Metrics) -> None:
        """Have the metrics read this at each rendering."""
        metrics.add_source(self._families)

    def _families(self) -> Iterable[Family]:
        here = Family("gauge", "touchline_http_connections", "Open connections", ("state",))
        for state, guests in self._states.items():
            here.set(len(guests), state)
        most = Family("gauge", "touchline_http_connections_limit", "Maximum number of connections")
        most.set(self.most)
        refused = Family(
            "counter", "touchline_http_connections_refused", "Refused connections", ("reason",)
        )
        for reason in ("full", "address"):
            refused.set(self.refused[reason], reason)
        ended = Family(
            "counter",
            "touchline_http_connections_dismissed",
            "Connections closed because they were slow, or to make room",
            ("reason",),
        )
        for reason in ("waiting", "resting", "lingering", "body", "unread", "room"):
            ended.set(self.dismissed[reason], reason)
        return (here, most, refused, ended)


class Addresses:
    """A set of addresses and networks, as `10.0.0.0/8`."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(text, strict=False) for text in texts]

    def __contains__(self, address: object) -> bool:
        try:
            found = ipaddress.ip_address(str(address))
        except ValueError:
            return False
        return any(found in network for network in self._networks)


def is_here(address: str, own_address: str) -> bool:
    """Whether a client is on this machine: over loopback, or over any other of its addresses.

    The kernel gives a connection to an address of this machine that same address as its source.
    """
    return is_loopback(address) or address == own_address


def is_loopback(address: str) -> bool:
    """Whether a client's address is this machine; a Unix socket has none and is."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return not address
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback
