"""Order, losses and duplicates of RTP packets, by their sequence numbers (RFC 3550, A.1)."""

from __future__ import annotations

MOST_LOST = 3000
"""A larger step forward means that the camera restarted its count."""
_REMEMBERED = 128


class Sequence:
    """Sequence numbers of packets in reading order.

    A number that does not follow and was not seen recently starts a new count: no delivered packet
    is dropped because of its number.
    """

    def __init__(self) -> None:
        self.last: int | None = None
        self.seen: list[tuple[int, int, int] | None] = [None] * _REMEMBERED

    def missing(self, number: int, rtp_time: int, size_bytes: int) -> int | None:
        """Return how many packets are missing before this one; None for one already read."""
        last, known = self.last, (number, rtp_time, size_bytes)
        if last is not None and self.seen[number & 127] == known:
            return None
        self.seen[number & 127] = known
        self.last = number
        step = 1 if last is None else (number - last) & 0xFFFF
        return step - 1 if 1 <= step <= MOST_LOST else 0
