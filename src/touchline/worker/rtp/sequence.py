"""Order, losses and repetitions of RTP packets, by their sequence numbers (RFC 3550, A.1)."""

from __future__ import annotations

MOST_LOST = 3000
"""A larger step forward is a camera that counts anew."""
_REMEMBERED = 128


class Sequence:
    """Follows the numbers of packets that are given in the order in which they are to be read.

    A number that does not follow and was not seen lately begins a new count: nothing that was
    delivered is left out because of its number.
    """

    def __init__(self) -> None:
        self.last: int | None = None
        self.seen: list[tuple[int, int, int] | None] = [None] * _REMEMBERED

    def missing(self, number: int, rtp_time: int, size_bytes: int) -> int | None:
        """How many packets are missing before this one; None for one that has been read already."""
        last, known = self.last, (number, rtp_time, size_bytes)
        if last is not None and self.seen[number & 127] == known:
            return None
        self.seen[number & 127] = known
        self.last = number
        step = 1 if last is None else (number - last) & 0xFFFF
        return step - 1 if 1 <= step <= MOST_LOST else 0
