"""Packets of codecs that are decoded here, with a presentation time for each picture."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple, Protocol

from touchline.media.decodetimes import MAX_DEPTH, Order
from touchline.worker.rtp.boundaries import boundary_detector, has_boundaries
from touchline.worker.rtp.clock import CameraClock
from touchline.worker.rtp.mediatime import AHEAD_NS, MediaTime
from touchline.worker.rtp.packet import Packet, read
from touchline.worker.rtp.sequence import Held, Sequence, Source
from touchline.worker.rtsp.description import TrackFormat
from touchline.worker.rtsp.media.rtcp import SenderReport

_HELD_NS, _HELD_BYTES = 250_000_000, 8 << 20
_WAIT_NS = 200_000_000
"""Maximum wait for a next packet after one without a marker."""
_LEAP_NS = 1_000_000_000
_REORDERED = frozenset({"h265", "mpeg2", "mpeg4", "h263"})
"""Codecs whose decode order may differ from the presentation order."""
_SSRC = b"TLIN"


class PacketDecoder(Protocol):
    """Consumer of packets that carry the presentation time of their picture."""

    def push(self, data: bytes, pts_ns: int, dts_ns: int | None, *, keyframe: bool) -> None:
        """Accept a packet."""


class _Placed(NamedTuple):
    """A packet and the media time of its picture."""

    data: bytes
    media_ns: int
    arrived_ns: int


class DecodedPackets:
    """Packets of other codecs, timestamped on the match clock for a decoding pipeline.

    Pictures are separated by the bitstream where it marks their beginning (H.265, JPEG), otherwise
    by markers and timestamps. The decoder sees one source whose sequence numbers are assigned here
    and have gaps only for lost packets: neither a change of source nor duplicated packets damage a
    picture.
    """

    def __init__(
        self,
        chosen: TrackFormat,
        decoder: PacketDecoder,
        on_warning: Callable[[str], None] = lambda _text: None,
    ) -> None:
        self.lost = 0
        self._codec = chosen.codec
        self._rate = chosen.clock_rate
        self._payload_type = chosen.payload_type
        self._decoder = decoder
        self._on_warning = on_warning
        self._begins = boundary_detector(chosen.codec)
        self._marks_starts = has_boundaries(chosen.codec)
        self._clock = CameraClock()
        self._media = MediaTime(chosen.clock_rate)
        self._jumps = 0
        self._sequence = Sequence()
        self._source = Source()
        self._changed = False
        self._number = 0
        self._rtp_time: int | None = None
        self._marked = False
        self._behind_ns = 0
        self._gap = False
        self._media_ns: int | None = 0
        self._arrived_ns = 0
        self._newest: _Placed | None = None
        self._markers_hold = True
        self._held: list[_Placed] = []
        self._held_bytes = 0

    # --------------------------------------------------------------- packets

    def packet(self, data: bytes, arrived_ns: int) -> None:
        """Accept an RTP packet."""
        head = read(data)
        if head is None or head.payload_type != self._payload_type:
            return
        self._take_if_ours(Held(data, head, arrived_ns))

    def _take_if_ours(self, each: Held) -> None:
        if self._source.see(each, last_time=self._sequence.last_time):
            self._take(*each)
        elif self._source.has_changed:
            self._change_source()

    def _change_source(self) -> None:
        """Take the packets that were held, of the source that the camera has changed to."""
        held, self._sequence = self._source.change(), Sequence()
        self._changed = True
        for each in held:
            self._take_if_ours(each)

    def _take(self, data: bytes, head: Packet, arrived_ns: int) -> None:
        missing = self._sequence.missing(head.number, head.time, head.end)
        if missing is None:  # a duplicate
            return
        whole_before = self._marked
        if missing:
            self._gap = True
            self.lost += 1
        begins, self._changed = self._next_picture(head, data) or self._changed, False
        if begins:
            self._pass_held(last=True)
            self._picture(head.time, arrived_ns, whole_before=whole_before)
        elif self._marked and self._marks_starts and not missing:
            self._markers_hold = False
        self._marked = head.marked
        self._number = (self._number + 1 + missing) & 0xFFFF
        if self._media_ns is not None:
            self._pass_packet(self._renumber(data), arrived_ns, marked=head.marked)

    def _next_picture(self, head: Packet, data: bytes) -> bool:
        """Return whether a picture begins here."""
        begins = self._begins(bytes(data[head.start : head.end]))
        if self._rtp_time is None or head.time != self._rtp_time:
            return True
        return self._marked if begins is None else begins

    def _renumber(self, data: bytes) -> bytes:
        return data[:2] + self._number.to_bytes(2, "big") + data[4:8] + _SSRC + data[12:]

    def _pass_packet(self, data: bytes, arrived_ns: int, *, marked: bool) -> None:
        """Pass a packet on once it is known whether it is the last of its picture.

        Decoders take a marker as the end of a picture. A camera whose markers have been right so
        far is trusted; otherwise a packet is held until the next one arrives.
        """
        self._pass_held(last=False)
        each = _Placed(data, self._media_ns or 0, arrived_ns)
        believed = marked and self._markers_hold and self._clock.anchored
        if self._marks_starts and not believed:
            self._newest = each
        else:
            self._place_or_hold(each)

    def _pass_held(self, *, last: bool) -> None:
        """Pass on the held packet, with the marker set if it is the last of its picture.

        After a loss this cannot be known, and markers are left unchanged.
        """
        each, self._newest = self._newest, None
        if each is None:
            return
        data = each.data
        if bool(data[1] & 0x80) != last and not self._gap:
            self._markers_hold = False
            data = data[:1] + bytes((data[1] ^ 0x80,)) + data[2:]
        self._place_or_hold(each._replace(data=data))

    def _place_or_hold(self, each: _Placed) -> None:
        """Hold the first packets until the delay of the camera's initial burst is known."""
        if self._clock.anchored:
            self._push(each)
            return
        self._held.append(each)
        self._held_bytes += len(each.data)
        waited_ns = each.arrived_ns - self._held[0].arrived_ns
        if waited_ns > _HELD_NS or self._held_bytes > _HELD_BYTES:
            self._release()

    def _release(self) -> None:
        held, self._held, self._held_bytes = self._held, [], 0
        if held:
            earliest = min(held, key=lambda each: each.arrived_ns - each.media_ns)
            self._clock.anchor(earliest.media_ns, earliest.arrived_ns)
        for each in held:
            self._push(each)

    def _push(self, each: _Placed) -> None:
        at_ns = max(self._clock.at(each.media_ns), 0)
        self._decoder.push(each.data, at_ns, None, keyframe=False)

    # --------------------------------------------------------------- pictures

    def _picture(self, rtp_time: int, arrived_ns: int, *, whole_before: bool) -> None:
        """Begin a picture with its own time; one without any time left is dropped and counted."""
        if self._codec == "mpegts":
            self._media_ns = self._stream_time(rtp_time, arrived_ns)
            return
        before_ns, order = self._media_ns, self._order(rtp_time)
        self._rtp_time = rtp_time
        self._media_ns = self._media.place(
            rtp_time,
            arrived_ns,
            order,
            frame_ns=None,
            ahead_ns=lambda at: self._clock.at(at) - arrived_ns if self._clock.anchored else 0,
        )
        if self._media_ns is None:
            self.lost += 1
            return
        if self._media.jumps != self._jumps:
            self._jumps = self._media.jumps
            self._behind_ns = 0
            self._on_warning(f"{self._media.last_jump}; later times continue with the elapsed time")
        if self._gap and before_ns is not None:
            between = round((self._media_ns - before_ns) / self._media.interval_ns) - 1
            # The gap itself counts as one picture: a damaged one, or the first of those between.
            self.lost += max(0, between - whole_before)
        self._gap = False
        if self._clock.anchored:
            self._clock.arrived(self._media_ns, arrived_ns)

    def _stream_time(self, rtp_time: int, arrived_ns: int) -> int:
        """Return the media time of a packet of a transport stream, which is timestamped when sent.

        Timestamps that jump although no such time has passed start a new line where the old one
        ends.
        """
        before, before_ns = self._rtp_time, self._arrived_ns
        self._rtp_time, self._arrived_ns = rtp_time, arrived_ns
        step = 0 if before is None else _step(before, rtp_time)
        step_ns, passed_ns = step * 1_000_000_000 // self._rate, arrived_ns - before_ns
        media_ns = (self._media_ns or 0) + step_ns
        early = self._clock.anchored and self._clock.at(media_ns) > arrived_ns + AHEAD_NS
        if step_ns < -_LEAP_NS or (early and step_ns > passed_ns + _LEAP_NS):
            media_ns = (self._media_ns or 0) + max(passed_ns, 0)
        if self._clock.anchored:
            self._clock.arrived(media_ns, arrived_ns)
        return media_ns

    def _order(self, rtp_time: int) -> Order:
        """Return the position of the picture, as far as its timestamp shows it.

        With codecs that reorder, timestamps go back by a few pictures; any other step back is a
        jump.
        """
        if self._rtp_time is None:
            return Order(0, later=True, pictures=1, first=True)
        step = _step(self._rtp_time, rtp_time)
        behind_ns = self._behind_ns - step * 1_000_000_000 // self._rate
        pictures = max(round(behind_ns / self._media.interval_ns), 1)
        if self._codec in _REORDERED and behind_ns > 0 and pictures <= MAX_DEPTH:
            self._behind_ns = behind_ns
            return Order(0, later=False, pictures=-pictures, first=False)
        self._behind_ns = 0
        return Order(0, later=True, pictures=1, first=False)

    # ---------------------------------------------------------------- control

    def sender_report(self, report: SenderReport, arrived_ns: int) -> None:
        """Ignore sender reports: packet arrivals are enough to estimate the camera's clock."""

    def tick(self, now_ns: int) -> None:
        """Pass on the first packets, and a last packet without a marker, when they are due."""
        if self._newest and now_ns - self._newest.arrived_ns > _WAIT_NS:
            self._pass_held(last=True)
        if self._source.is_due(now_ns):
            self._change_source()
        if self._held and now_ns - self._held[0].arrived_ns > _HELD_NS:
            self._release()

    def end(self) -> None:
        """Pass on all remaining packets."""
        while self._source.end():
            self._change_source()
        self._pass_held(last=True)
        self._release()


def _step(before: int, after: int) -> int:
    """Return the signed distance between two 32-bit timestamps."""
    return (after - before + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
