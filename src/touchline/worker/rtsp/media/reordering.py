"""Puts UDP packets back in order: a packet waits for those before it, but not for long."""

from __future__ import annotations

from collections.abc import Callable

MAX_PACKETS = 4096
_NEAR = 2000
"""A number further from the expected one belongs to a camera that counts anew."""


class Reorderer:
    """Calls `deliver` with each packet and its arrival, in the order of their numbers.

    In order nothing waits. Behind a gap packets wait `latency_ns` for what is missing, counted from
    the arrival of the first that waits. Late ones are delivered to nobody; they are counted.
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
        """Whether packets wait for one that is missing."""
        return bool(self._held)

    def packet(self, data: bytes, arrived_ns: int) -> None:
        """Take an RTP packet as it arrived."""
        ssrc, number = data[8:12], data[2] << 8 | data[3]
        if ssrc != self._ssrc or self._next is None:
            self._flush()
            self._ssrc, self._next = ssrc, number
        ahead = (number - self._next) & 0xFFFF
        if ahead == 0:
            self._next = (number + 1) & 0xFFFF
            self._deliver(data, arrived_ns)
            if self._held:
                self._go_on()
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
        """Stop waiting for what did not come in time."""
        while self._held and now_ns - self._oldest_ns() >= self._latency_ns:
            self._skip()

    def _oldest_ns(self) -> int:
        """When the first packet behind the gap arrived."""
        return next(iter(self._held.values()))[1]

    def _skip(self) -> None:
        """Go on behind the gap."""
        expected = self._next or 0
        self._next = min(self._held, key=lambda number: (number - expected) & 0xFFFF)
        self._go_on()

    def _go_on(self) -> None:
        while self._next is not None and (found := self._held.pop(self._next, None)) is not None:
            self._next = (self._next + 1) & 0xFFFF
            self._deliver(*found)

    def _flush(self) -> None:
        while self._held:
            self._skip()
