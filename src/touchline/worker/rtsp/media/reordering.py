"""Reordering of UDP packets: a packet waits for those before it, but for a limited time."""

from __future__ import annotations

from collections.abc import Callable

MAX_PACKETS = 4096
_NEAR = 2000
"""A number further from the expected one means that the camera restarted its count."""


class Reorderer:
    """Buffer that calls `deliver` with each packet and its arrival, in sequence order.

    Packets in order never wait. After a gap, packets wait `latency_ns` for the missing ones,
    counted from the arrival of the first that waits. Late packets are not delivered, but counted.
    """

    def __init__(self, latency_ns: int, deliver: Callable[[bytes, int], None]) -> None:
        self.late = 0
        self._latency_ns = latency_ns
        self._deliver = deliver
        self._ssrc = b""
        self._next: int | None = None
        self._held: dict[int, tuple[bytes, int]] = {}

    @property
    def waiting(self) -> bool:
        """Whether packets wait for a missing one."""
        return bool(self._held)

    def packet(self, data: bytes, arrived_ns: int) -> None:
        """Accept an RTP packet as it arrived."""
        ssrc, number = data[8:12], data[2] << 8 | data[3]
        if ssrc != self._ssrc or self._next is None:
            self._flush()
            self._ssrc, self._next = ssrc, number
        ahead = (number - self._next) & 0xFFFF
        if ahead == 0:
            self._next = (number + 1) & 0xFFFF
            self._deliver(data, arrived_ns)
            if self._held:
                self._deliver_consecutive()
        elif ahead > 0xFFFF - _NEAR:
            self.late += 1
        elif ahead > _NEAR:
            self._flush()
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

    def _flush(self) -> None:
        while self._held:
            self._skip()
