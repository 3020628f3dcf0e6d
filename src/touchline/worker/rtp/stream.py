"""Conversion of a camera's H.264 over RTP to frames with times on the match clock."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Collection
from collections.abc import Sequence as Ordered
from typing import NamedTuple

from touchline.ipc.tee import Frame
from touchline.media.decodetimes import DecodeTimes, Order, Reordering
from touchline.media.h264.codec import Codec
from touchline.worker.rtp import packet
from touchline.worker.rtp.accessunits import AccessUnits, Picture
from touchline.worker.rtp.clock import CameraClock
from touchline.worker.rtp.errors import StreamError
from touchline.worker.rtp.mediatime import MediaTime
from touchline.worker.rtp.packet import Packet
from touchline.worker.rtp.parametersets import ParameterSets
from touchline.worker.rtp.payload import Depacketiser
from touchline.worker.rtp.sequence import Held, Sequence, Source

_FU_A = 28
_BURST_NS = 10_000_000
_HELD_PICTURES, _HELD_BYTES = 64, 8 << 20
_HELD_NS, _HELD_BURST_NS = 200_000_000, 500_000_000
_FOREIGN_MOST = 50
_GARBAGE_MOST = 1000


class _Held(NamedTuple):
    """A picture whose media time is known, before it becomes a frame."""

    data: bytes
    media_ns: int
    arrived_ns: int
    order: Order
    keyframe: bool
    codec: Codec


class H264Stream:
    """Reader of one RTP stream that calls `on_frame` with each frame as soon as it is complete.

    `sprop` are the parameter sets of the session description, `payload_types` those that it assigns
    to H.264 (None: any). `on_warning` receives what was dropped and why, one line each time a
    reason begins to apply. Everything runs on the caller's thread. Raises StreamError for a stream
    that cannot be recorded; memory stays under twice the largest picture.
    """

    def __init__(
        self,
        clock_rate: int,
        sprop: Ordered[bytes],
        on_frame: Callable[[Frame], None],
        *,
        payload_types: Collection[int] | None = None,
        on_warning: Callable[[str], None] = lambda _text: None,
    ) -> None:
        if not 1_000 <= clock_rate <= 1_000_000_000:
            raise StreamError(f"the camera uses an unsupported clock rate of {clock_rate} Hz")
        self.packets = 0
        self.packets_lost = 0
        self.frames = 0
        self.damaged = 0
        """Pictures dropped because they or their references were damaged or lost."""
        self.counts: Counter[str] = Counter()
        """Dropped or corrected items by reason."""
        self._on_frame, self._on_warning = on_frame, on_warning
        self._payload_types = payload_types
        self._sets = ParameterSets()
        for unit in sprop:
            self._describe(unit)
        self._units = AccessUnits(self._sets, self._picture, self._count_lost_picture)
        self._payloads = Depacketiser(self._units.unit, self._units.note_orphan)
        self._sequence = Sequence()
        self._source = Source()
        self._garbage = 0
        self._foreign = 0
        self._reordering = Reordering()
        self._media = MediaTime(clock_rate)
        self._clock = CameraClock()
        self._decode = DecodeTimes()
        self._held: list[_Held] = []
        self._held_bytes = 0
        self._waits_for_keyframe: str | None = "before the first keyframe"
        self._last_warning = ""

    def _describe(self, unit: bytes) -> None:
        try:
            self._sets.add(unit)
        except ValueError as error:
            self.counts["parameter sets of the description"] += 1
            self._on_warning(f"the session's description: {error}")

    # --------------------------------------------------------------- packets

    def packet(self, data: bytes | memoryview, arrived_ns: int) -> None:
        """Accept the next RTP packet. Raises StreamError."""
        head = packet.read(data)
        if head is None:
            self._count_malformed()
            return
        if not (
            self._payload_types is None
            or head.payload_type in self._payload_types
            or self._adopt(head.payload_type)
        ):
            return
        if head.ssrc == self._source.ssrc and not self._source.held:
            self._read(data, head, arrived_ns)
        else:
            self._read_if_ours(Held(bytes(data), head, arrived_ns))

    def _read_if_ours(self, each: Held) -> None:
        """Read a packet unless another source sent it, which is followed once that is sure."""
        source = self._source
        if source.see(each, last_time=self._sequence.last_time):
            self._read(*each)
        elif source.has_changed:
            self._change_source()
        self.counts["stray packets of another source"] = source.strays

    def _change_source(self) -> None:
        """Read the packets that were held, of the source that the camera has changed to."""
        held = self._source.change()
        self.counts["changes of the source (SSRC)"] = self._source.changes
        self._sequence = Sequence()
        for each in held:
            self._read_if_ours(each)

    def _read(self, data: bytes | memoryview, head: Packet, arrived_ns: int) -> None:
        _, _, number, rtp_time, _, start, end = head
        self.packets += 1
        missing = self._sequence.missing(number, rtp_time, end)
        if missing is None:
            self.counts["duplicate packets"] += 1
            return
        if missing:
            self._missing(missing)
        payloads = self._payloads
        if (
            (unit := payloads.open) is not None
            and end - start > 2
            and data[start] & 0x1F == _FU_A
            and data[start + 1] == payloads.open_type
        ):
            payloads.extend(unit, data[start + 2 : end])  # nine packets of ten
            return
        payloads.payload(bytes(data[start:end]), rtp_time, arrived_ns)
        if payloads.open is None:
            self._units.packet_end(marked=head.marked, arrived_ns=arrived_ns)

    def _count_malformed(self) -> None:
        self.counts["invalid RTP packets"] += 1
        self._garbage += 1
        if self._garbage > _GARBAGE_MOST and not self.packets:
            raise StreamError("the camera does not send valid RTP")

    def _adopt(self, payload_type: int) -> bool:
        """Accept another payload type than the announced ones if these never arrive."""
        self._foreign += 1
        self.counts["packets of other payload types"] += 1
        if self.packets or self._foreign < _FOREIGN_MOST:
            return False
        self._on_warning(f"the camera sends another payload type than announced: {payload_type}")
        self._payload_types = {payload_type}
        return True

    def _missing(self, packets: int) -> None:
        self.packets_lost += packets
        self._payloads.lost()
        self._units.lost()

    # ---------------------------------------------------------------- control

    def sender_report(self, rtp_time: int, ntp_ns: int, arrived_ns: int) -> None:
        """Process a sender report with the camera's clocks."""
        self._media.reported(rtp_time, ntp_ns, arrived_ns)

    def due(self, now_ns: int) -> None:
        """Pass on pictures that have waited long enough; call it about every 20 ms."""
        if self._source.is_due(now_ns):
            self._change_source()
        if self._payloads.open is None:
            self._units.due(now_ns)
        if self._held and now_ns - self._held[0].arrived_ns > _HELD_NS:
            self._release()

    def broken(self, reason: str) -> None:
        """Handle an interruption of the stream: later packets do not continue it."""
        self.flush()
        self._sequence = Sequence()
        self._source.forget()
        self._waits_for_keyframe = reason

    def flush(self) -> None:
        """Pass on everything that is complete; no packet follows."""
        while self._source.end():
            self._change_source()
        self._payloads.end()
        self._units.flush()
        self._release()

    # --------------------------------------------------------------- pictures

    def _count_lost_picture(self, reason: str, keyframe: bool) -> None:  # noqa: FBT001
        self._drop_picture(reason)
        if keyframe:
            self._waits_for_keyframe = "their keyframe was lost"

    def _drop_picture(self, reason: str) -> None:
        self.damaged += 1
        self.counts[reason] += 1
        if reason != self._last_warning:
            self._last_warning = reason
            self._on_warning(f"dropping pictures: {reason}")

    def _picture(self, picture: Picture) -> None:
        """Handle a picture that is complete, or as complete as it will be."""
        head, sets = picture.head, picture.sets
        if head is None or sets is None or picture.damage is not None:
            self._count_lost_picture(picture.damage or "a slice cannot be read", picture.idr)
            return
        order = self._reordering.see(head, sets.sps)
        media_ns = self._media.place(
            picture.rtp_time,
            picture.arrived_ns,
            order,
            frame_ns=sets.sps.frame_ns,
            ahead_ns=lambda at: (
                self._clock.at(at) - picture.arrived_ns if self._clock.anchored else 0
            ),
        )
        if media_ns is None:
            self._count_lost_picture("more pictures received than time has passed", picture.idr)
            return
        if self._media.jumps != self.counts["jumps of the time stamps"]:
            self.counts["jumps of the time stamps"] = self._media.jumps
            self._on_warning(f"{self._media.last_jump}; the pictures continue with the wall clock")
        if self._clock.anchored:
            self._clock.arrived(media_ns, picture.arrived_ns)
        keyframe = self._is_keyframe(picture)
        if self._waits_for_keyframe is not None:
            if not keyframe:
                if self.frames or self._held:
                    self._drop_picture(self._waits_for_keyframe)
                else:
                    self.counts["pictures before the first keyframe"] += 1
                return
            self._waits_for_keyframe = None
        codec, extra = self._sets.begin(sets, keyframe=keyframe, may_change=picture.may_change)
        data = _avc([*extra, *picture.units])
        held = _Held(data, media_ns, picture.arrived_ns, order, keyframe, codec)
        if self._clock.anchored:
            self._deliver(held)
        else:
            self._hold(held)

    def _is_keyframe(self, picture: Picture) -> bool:
        """Return whether decoding can begin here: at an IDR picture or a complete recovery point.

        A stream without IDR pictures begins at any intra picture or recovery point.
        """
        if picture.idr or (picture.recovery == 0 and picture.intra):
            return True
        return not self._units.idr_seen and (picture.intra or picture.recovery is not None)

    def _hold(self, picture: _Held) -> None:
        """Hold the first pictures until their order and delay are known.

        That is at the second picture, unless the camera begins with a burst of stored pictures.
        """
        self._held.append(picture)
        self._held_bytes += len(picture.data)
        late = [each.arrived_ns - each.media_ns for each in self._held]
        bursting = len(late) > 1 and late[-1] < min(late[:-1]) - _BURST_NS
        waited_ns = picture.arrived_ns - self._held[0].arrived_ns
        if (
            (self._reordering.decided and len(late) > 1 and not bursting)
            or len(late) >= _HELD_PICTURES
            or self._held_bytes >= _HELD_BYTES
            or waited_ns > _HELD_BURST_NS
        ):
            self._release()

    def _release(self) -> None:
        held, self._held, self._held_bytes = self._held, [], 0
        if not held:
            return
        if not self._clock.anchored:
            earliest = min(held, key=lambda each: each.arrived_ns - each.media_ns)
            self._clock.anchor(earliest.media_ns, earliest.arrived_ns)
        for each in held:
            self._deliver(each)

    def _deliver(self, picture: _Held) -> None:
        interval_ns = self._media.interval_ns
        pts_ns, dts_ns = self._decode.place(
            self._clock.at(picture.media_ns),
            depth=self._reordering.depth,
            interval_ns=interval_ns,
            first=picture.order.first,
        )
        self.frames += 1
        self._on_frame(
            Frame(picture.data, pts_ns, dts_ns, interval_ns, picture.keyframe, picture.codec)
        )


def _avc(units: Ordered[bytes]) -> bytes:
    parts: list[bytes] = []
    for unit in units:
        parts += (len(unit).to_bytes(4, "big"), unit)
    return b"".join(parts)
