"""Reordering of UDP packets: a packet waits for those before it, but for a limited time."""

from __future__ import annotations

from collections.abc import Callable

MAX_PACKETS = 4096
_MOST_SOURCES = 4
_SILENT_NS = 1_000_000_000
"""A source that returns after so long may have restarted its count."""
_NEAR = 2000
"""A number further from the expected one means that the camera restarted its count."""


class Reorderer:
    """Buffer that calls `deliver` with each packet and its arrival, in sequence order.

    Packets in order never wait. After a gap, packets wait `latency_ns` for the missing ones,
    counted from the arrival of the first that waits. Late packets are not delivered, but counted.
    Each source (SSRC) has an order of its own; when another one begins, no packet waits any longer.
    """

    def __init__(self, latency_ns: int, deliver: Callable[[bytes, int], None]) -> None:
        self._latency_ns = latency_ns
        self._deliver = deliver
        self._late = 0
        self._sources: dict[bytes, _SourceOrder] = {}

    @property
    def late(self) -> int:
        """Number of packets that came too late."""
        return self._late + sum(each.late for each in self._sources.values())

    @property
    def waiting(self) -> int:
        """Number of packets that wait for a missing one."""
        return sum(each.waiting for each in self._sources.values())

    def packet(self, data: bytes, arrived_ns: int) -> None:
        """Accept an RTP packet as it arrived."""
        ssrc = data[8:12]
        order = self._sources.get(ssrc)
        if order is None:
            order = self._begin(ssrc)
        order.packet(data[2] << 8 | data[3], data, arrived_ns)

    def _begin(self, ssrc: bytes) -> _SourceOrder:
        for each in self._sources.values():
            each.flush()
        if len(self._sources) == _MOST_SOURCES:
            self._late += self._sources.pop(next(iter(self._sources))).late
        order = self._sources[ssrc] = _SourceOrder(self._latency_ns, self._deliver)
        return order

    def due(self, now_ns: int) -> None:
        """Stop waiting for packets that did not arrive in time."""
        for each in self._sources.values():
            each.due(now_ns)


class _SourceOrder:
    """Order of the packets of one source."""

    def __init__(self, latency_ns: int, deliver: Callable[[bytes, int], None]) -> None:
        self.late = 0
        self._latency_ns = latency_ns
        self._deliver = deliver
        self._next: int | None = None
        self._arrived_ns = 0
        self._held: dict[int, tuple[bytes, int]] = {}

    @property
    def waiting(self) -> int:
        """Number of packets that wait for a missing one."""
        return len(self._held)

    def packet(self, number: int, data: bytes, arrived_ns: int) -> None:
        """Accept a packet as it arrived."""
        if self._next is None or arrived_ns - self._arrived_ns > _SILENT_NS:
            self.flush()
            self._next = number
        self._arrived_ns = arrived_ns
        ahead = (number - self._next) & 0xFFFF
        if ahead == 0:
            self._next = (number + 1) & 0xFFFF
            self._deliver(data, arrived_ns)
            if self._held:
                self._deliver_consecutive()
        elif ahead > 0xFFFF - _NEAR:
            self.late += 1
        elif ahead > _NEAR:
            self.flush()
            self._next = (number + 1) & 0xFFFF
            self._deliver(data, arrived_ns)
        else:
            self._held.setdefault(number, (data, arrived_ns))
            if len(self._held) > MAX_PACKETS:
                self._skip()

    def due(self, now_ns: int) -> None:
        """Stop waiting for packets that did not arrive in time."""
        while self._held and now_ns - self._oldest_ns() >= self._latency_ns:
            self._skip()

    def _oldest_ns(self) -> int:
        """Return the arrival of the first packet after the gap."""
        return next(iter(self._held.values()))[1]

    def _skip(self) -> None:
        """Continue after the gap."""
        expected = self._next or 0
        self._next = min(self._held, key=lambda number: (number - expected) & 0xFFFF)
        self._deliver_consecutive()

    def _deliver_consecutive(self) -> None:
        while self._next is not None and (found := self._held.pop(self._next, None)) is not None:
            self._next = (self._next + 1) & 0xFFFF
            self._deliver(*found)

    def flush(self) -> None:
        """Stop waiting for missing packets."""
        while self._held:
            self._skip()
