"""Admission, tracking and eviction of HTTP connections.

The number of connections is bounded; idle connections are closed to make room for active ones. An
IPv6 address counts as its whole network, because a client usually controls every address in it
(`network_of`). Time limits do not run while the server is suspended.
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
from touchline.core.tasks import Keep, keep_running
from touchline.ipc.attempts import network_of
from touchline.ipc.listening import ListeningClock

log = logging.getLogger(__name__)

State = Literal["waiting", "busy", "resting", "lingering", "socket"]

LIMITS_S: Mapping[State, float] = {
    "waiting": 10.0,  # for the request header, from the first byte or from connecting
    "lingering": 5.0,  # for a client to read why it was refused
    "resting": 75.0,  # uvicorn's own limit is shorter
}
BODY_S = 60.0
"""Time limit for a body, which has at most 64 KiB."""

UNREAD_S = 120.0
"""Time limit for a client to read the data of one write: at most half a megabyte."""

_CHECK_INTERVAL_S = 0.2
_EVICTION_BATCH = 32
_RECOVERY_S = 30.0
"""Time after running out of descriptors before more connections are accepted again."""


class GuardedConnection(Protocol):
    """A connection. `dismiss` ends it, with an error response or `at_once`."""

    @property
    def has_input(self) -> bool:
        """Whether data has arrived that has not been read yet."""

    def dismiss(self, *, at_once: bool) -> None:
        """End the connection."""


@dataclass(frozen=True)
class ConnectionRefusal:
    """Reason for refusing a connection: an HTTP status, a code and a sentence."""

    status: int
    code: str
    detail: str


FULL = ConnectionRefusal(
    503, "too_many_connections", "The server has too many connections. Try again."
)
TOO_MANY_OF_YOURS = ConnectionRefusal(
    429, "too_many_connections", "Too many connections from this address. Close some, or wait."
)


class Door:
    """All open connections; `open` enforces the time limits."""

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
        self._trusted = AddressSet(trusted)
        self._clock = clock or ListeningClock()
        self._states: dict[State, OrderedDict[GuardedConnection, float]] = {
            state: OrderedDict() for state in ("waiting", "busy", "resting", "lingering", "socket")
        }
        self._state_of: dict[GuardedConnection, State] = {}
        self._address_of: dict[GuardedConnection, str] = {}
        self._by_address: Counter[str] = Counter()
        self._bodies: OrderedDict[GuardedConnection, float] = OrderedDict()
        self._unread: OrderedDict[GuardedConnection, float] = OrderedDict()
        self.refused: Counter[str] = Counter()
        self.dismissed: Counter[str] = Counter()
        self._storm = Storm(log, "Connections are refused")

    # ------------------------------------------------------------------ registration

    def refusal_for(self, address: str, own_address: str = "") -> ConnectionRefusal | None:
        """Return why a connection from this address is refused; None if it is accepted.

        `own_address` is the address of this machine that was connected to. If all places are taken,
        the connection that has been idle for longest is ended.
        """
        limited = not is_here(address, own_address) and address not in self._trusted
        if limited and self._by_address[network_of(address)] >= self._most_an_address:
            return self._refuse(TOO_MANY_OF_YOURS, "address", address)
        if len(self._state_of) >= self.most and not self.relieve(1):
            return self._refuse(FULL, "full", f"{len(self._state_of)} are in use")
        return None

    def register_connection(self, guest: GuardedConnection, address: str) -> None:
        """Register a connection, unless it is registered already."""
        if guest in self._state_of:
            return
        network = self._address_of[guest] = network_of(address)
        self._by_address[network] += 1
        self._put(guest, "waiting")

    def left(self, guest: GuardedConnection) -> None:
        """Remove a connection that has ended."""
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

    def move(self, guest: GuardedConnection, state: State) -> None:
        """Set the state of a connection; a change restarts its time limit."""
        before = self._state_of.get(guest)
        if before is None or before == state:
            return
        del self._states[before][guest]
        self._put(guest, state)

    def body(self, guest: GuardedConnection, *, expected: bool) -> None:
        """Record that a body is expected, or complete."""
        self._time(self._bodies, guest, running=expected)

    def unread(self, guest: GuardedConnection, *, waits: bool) -> None:
        """Record that a client must read before more can be sent, or that it has read."""
        self._time(self._unread, guest, running=waits)

    def relieve(self, count: int = _EVICTION_BATCH) -> int:
        """Close the connections that have been idle longest, and return their number."""
        ended = 0
        for state in ("lingering", "waiting", "resting"):
            for guest in list(self._states[state])[: count - ended]:
                self._dismiss(guest, "room", at_once=True)
                ended += 1
        return ended

    def shed_connections(self) -> None:
        """Close idle connections and lower the limit for a while, after running out of descriptors.

        Recording files, workers and the database need descriptors more than connections do.
        """
        self.relieve()
        self.most = max(1, min(self.most, len(self._state_of)))
        self._exhausted_at_s = self._clock()

    def _put(self, guest: GuardedConnection, state: State) -> None:
        self._state_of[guest] = state
        self._states[state][guest] = self._clock()

    def _time(
        self,
        times: OrderedDict[GuardedConnection, float],
        guest: GuardedConnection,
        *,
        running: bool,
    ) -> None:
        if not running:
            times.pop(guest, None)
        elif guest in self._state_of:
            times.setdefault(guest, self._clock())

    def _refuse(self, refusal: ConnectionRefusal, reason: str, detail: str) -> ConnectionRefusal:
        self.refused[reason] += 1
        self._storm.note(f"{refusal.detail} ({detail})")
        return refusal

    def _dismiss(self, guest: GuardedConnection, reason: str, *, at_once: bool) -> None:
        self.dismissed[reason] += 1
        guest.dismiss(at_once=at_once)
        if at_once:
            self.left(guest)

    # ------------------------------------------------------------------ time

    @asynccontextmanager
    async def open(self, keep: Keep = keep_running) -> AsyncIterator[None]:
        """Enforce the time limits within this scope."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(keep, "connections", self._watch, every_s=_CHECK_INTERVAL_S))
            yield
            tasks.cancel_scope.cancel()

    async def _watch(self) -> None:
        self.look()

    def look(self) -> None:
        """Close connections that exceeded their time limit, unless they have unread input."""
        now_s = self._clock()
        if self.most < self._configured and now_s - self._exhausted_at_s > _RECOVERY_S:
            self.most = min(self._configured, self.most * 2)
            self._exhausted_at_s = now_s
        for state, limit_s in LIMITS_S.items():
            self._expire(self._states[state], now_s - limit_s, state, at_once=state != "waiting")
        self._expire(self._bodies, now_s - BODY_S, "body", at_once=False)
        self._expire(self._unread, now_s - UNREAD_S, "unread", at_once=True)

    def _expire(
        self,
        times: OrderedDict[GuardedConnection, float],
        before_s: float,
        reason: str,
        *,
        at_once: bool,
    ) -> None:
        """Close connections that exceed the time limit; the mapping is ordered by age."""
        late: list[GuardedConnection] = []
        for guest, since_s in times.items():
            if since_s >= before_s:
                break
            late.append(guest)
        for guest in late:
            if reason in {"waiting", "resting", "body"} and guest.has_input:
                continue
            self._dismiss(guest, reason, at_once=at_once)

    # ------------------------------------------------------------------ metrics

    def count_into(self, metrics: Metrics) -> None:
        """Add the connections to the metrics."""
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


class AddressSet:
    """A set of addresses and networks such as `10.0.0.0/8`."""

    def __init__(self, texts: Iterable[str]) -> None:
        self._networks = [ipaddress.ip_network(text, strict=False) for text in texts]

    def __contains__(self, address: object) -> bool:
        try:
            found = ipaddress.ip_address(str(address))
        except ValueError:
            return False
        return any(found in network for network in self._networks)


def is_here(address: str, own_address: str) -> bool:
    """Return whether a client is on this machine: over loopback or one of its other addresses.

    The kernel gives a connection to an address of this machine that same address as its source.
    """
    return is_loopback(address) or address == own_address


def is_loopback(address: str) -> bool:
    """Return whether an address is a loopback address; a Unix socket has none and counts as one."""
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return not address
    mapped = getattr(found, "ipv4_mapped", None)
    return (mapped or found).is_loopback
