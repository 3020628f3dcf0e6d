"""Order, losses and duplicates of RTP packets (RFC 3550, A.1), and the source that is read."""

from __future__ import annotations

from typing import NamedTuple

from touchline.worker.rtp.packet import Packet

MOST_LOST = 3000
"""A larger step forward means that the camera restarted its count."""
_REMEMBERED = 128

HELD_NS = 500_000_000
"""Time after which a new source is followed, however few of its packets have arrived."""
_PICTURES, _HELD_PACKETS = 3, 4096


class Sequence:
    """Sequence numbers of packets in reading order.

    A number that does not follow and was not seen recently starts a new count: no delivered packet
    is dropped because of its number.
    """

    def __init__(self) -> None:
        self.last: int | None = None
        self.seen: list[tuple[int, int, int] | None] = [None] * _REMEMBERED

    @property
    def last_time(self) -> int | None:
        """RTP time of the last packet."""
        known = None if self.last is None else self.seen[self.last & 127]
        return None if known is None else known[1]

    def missing(self, number: int, rtp_time: int, size_bytes: int) -> int | None:
        """Return how many packets are missing before this one; None for one already read."""
        last, known = self.last, (number, rtp_time, size_bytes)
        if last is not None and self.seen[number & 127] == known:
            return None
        self.seen[number & 127] = known
        self.last = number
        step = 1 if last is None else (number - last) & 0xFFFF
        return step - 1 if 1 <= step <= MOST_LOST else 0


class Held(NamedTuple):
    """A packet of another source, held until it is known whether the camera changed its source."""

    data: bytes
    head: Packet
    arrived_ns: int


class Source:
    """The one source (SSRC) whose packets are read.

    A camera may change its source at any time, with each keyframe for example, and no packet is
    lost by that. But packets of another source may also be strays, or a second stream beside the
    first, whose pictures would damage those of the first. So they are held until a third picture of
    theirs begins, and dropped if the first source continues before that.
    """

    def __init__(self) -> None:
        self.ssrc: int | None = None
        self.changes = 0
        self.strays = 0
        """Packets of other sources that were dropped."""
        self.held: list[Held] = []
        self._pictures = 0

    def see(self, packet: Held, *, last_time: int | None) -> bool:
        """Return whether the packet belongs to the source; another one is held.

        `last_time` is the RTP time of the last packet read: a late one of that picture does not
        show that the source continues.
        """
        ssrc, held = packet.head.ssrc, self.held
        if self.ssrc is None:
            self.ssrc = ssrc
        if ssrc == self.ssrc:
            if held and packet.head.time != last_time:
                self.strays += len(held)
                held.clear()
            return True
        before = held[-1].head if held else None
        if before is None:
            self._pictures = 1
        elif before.marked or before.time != packet.head.time:
            self._pictures += 1
        held.append(packet)
        return False

    @property
    def has_changed(self) -> bool:
        """Whether enough of another source has arrived to follow it."""
        held = self.held
        if not held:
            return False
        other = held[-1].head.ssrc != held[0].head.ssrc
        return other or self._pictures >= _PICTURES or len(held) >= _HELD_PACKETS

    def is_due(self, now_ns: int) -> bool:
        """Return whether the other source is to be followed because of the time."""
        return bool(self.held) and now_ns - self.held[0].arrived_ns > HELD_NS

    def forget(self) -> None:
        """Read whatever source comes next."""
        self.ssrc = None

    def end(self) -> bool:
        """Return whether the held packets are to be followed, as no others will come.

        They are dropped if there has been a second stream beside the first.
        """
        if self.strays:
            self.strays += len(self.held)
            self.held.clear()
        return bool(self.held)

    def change(self) -> list[Held]:
        """Follow the source of the held packets, and return them."""
        held, self.held = self.held, []
        if held:
            self.ssrc = held[0].head.ssrc
            self.changes += 1
        return held
