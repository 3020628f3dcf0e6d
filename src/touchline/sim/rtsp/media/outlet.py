"""RTP and RTCP of one track for one client: timestamps, sequence numbers, headers, reports."""

from __future__ import annotations

import random
import struct
import time
from typing import NamedTuple

from touchline.sim.rtsp.ledger import Ledger
from touchline.sim.rtsp.media.payload import PayloadPiece, fragments, pieces
from touchline.sim.rtsp.media.source import SourceSample
from touchline.sim.rtsp.misbehaviour import Misbehaviour
from touchline.sim.rtsp.occasion import due

_NTP_EPOCH_S = 2_208_988_800
_REPORT_EVERY_S = 5.0
_WORD = 0xFFFFFFFF
_METADATA_TYPE = 107
_EXTENSIONS = {
    "one-byte": (0xBEDE, b"\x10\xaa\x22\x01\x02\x03\x00\x00"),
    "two-byte": (0x1000, b"\x01\x01\xaa\x00\x02\x02\x01\x02"),
    "onvif": (0xABAC, bytes(8) + b"\x80\x00\x00\x00"),
}


class OutletPacket(NamedTuple):
    """One RTP packet."""

    data: bytes
    lost: bool = False


class TrackOutlet:
    """Sender of one track."""

    def __init__(
        self,
        *,
        codec: str,
        payload_type: int,
        clock_hz: int,
        origin_ns: int,
        odd: Misbehaviour,
        ledger: Ledger,
    ) -> None:
        """Create the sender; `origin_ns` is the moment of the first timestamp."""
        self._codec = codec
        self._payload_type = payload_type
        self._clock_hz = clock_hz
        self._origin_ns = origin_ns
        self._odd = odd
        self._ledger = ledger
        self._random = random.Random()
        self.ssrc = self._random.getrandbits(32)
        self._sequence = self._first(odd.sequence_start, 16)
        self._beside_sequence = self._random.getrandbits(16)
        self._offset = self._first(odd.stamp_start, 32)
        self._jumped: set[str] = set()
        self._frames = 0
        self._last_stamp = self._offset
        self._packets = 0
        self._bytes = 0
        self._sent = 0
        self._kept: OutletPacket | None = None
        self._report_at_s = 0.0

    def _first(self, asked: int | None, bits: int) -> int:
        return self._random.getrandbits(bits) if asked is None else asked

    @property
    def next_sequence(self) -> int:
        """Sequence number of the next packet."""
        return self._sequence

    def stamp_at(self, captured_ns: int) -> int:
        """Return the timestamp of a moment, before misbehaviour of single frames."""
        media_s = (captured_ns - self._origin_ns) / 1e9 * (1 + self._odd.drift_ppm / 1e6)
        return (self._offset + round(media_s * self._clock_hz)) & _WORD

    def packets(self, sample: SourceSample, elapsed_s: float) -> list[OutletPacket]:
        """Convert an access unit to packets."""
        odd = self._odd
        self._change(sample, elapsed_s)
        stamp = self._stamp(sample.captured_ns)
        units = sample.units
        if odd.parameter_sets == "each-frame" or (
            sample.keyframe and odd.parameter_sets in {"both", "band"}
        ):
            at = 1 if odd.aud and self._codec == "h264" else 0  # a delimiter comes first
            units = (*units[:at], *sample.parameter_sets, *units[at:])
        split = pieces(self._codec, units, odd.packing, odd.packet_bytes)
        last = len(split) - 1
        own = [
            OutletPacket(self._packet(piece.payload, stamp, marker=self._marks(piece, n == last)))
            for n, piece in enumerate(split)
        ]
        return [*self._disturb(own), *self._build_second_source(split, stamp)]

    def _build_second_source(self, split: list[PayloadPiece], stamp: int) -> list[OutletPacket]:
        """Return what another source sends after an access unit: the same again, or metadata."""
        kind, payloads = self._payload_type, [piece.payload for piece in split]
        if self._odd.second_source == "none":
            return []
        if self._odd.second_source == "metadata":
            kind, payloads = _METADATA_TYPE, [b"<tt:MetadataStream>", b"</tt:MetadataStream>"]
        sent = []
        for n, payload in enumerate(payloads):
            second = kind | (0x80 if n == len(payloads) - 1 else 0)
            ssrc = self.ssrc ^ _WORD
            head = struct.pack(">BBHII", 0x80, second, self._beside_sequence, stamp, ssrc)
            self._beside_sequence = (self._beside_sequence + 1) & 0xFFFF
            sent.append(OutletPacket(head + payload))
        return sent

    def sound(self, payload: bytes, captured_ns: int, *, first: bool) -> OutletPacket:
        """Return a packet of sound."""
        return OutletPacket(self._packet(payload, self.stamp_at(captured_ns), marker=first))

    def endless(self, captured_ns: int) -> list[OutletPacket]:
        """Return the next packets of an endless picture."""
        stamp = self.stamp_at(captured_ns)
        filler = b"\x41" + b"\x9a" * 1300
        if self._odd.endless_unit == "fragments":
            payloads = fragments(self._codec, filler * 20, 1300)[1:-1]
        elif self._odd.endless_unit == "slices":
            payloads = [filler] * 20
        else:
            payloads = [b"\x58" + (b"\x00\x28" + filler[:40]) * 30] * 20
        return [OutletPacket(self._packet(each, stamp, marker=False)) for each in payloads]

    def reports(self, now_s: float, captured_ns: int) -> list[bytes]:
        """Return the RTCP packets that are due."""
        if self._odd.sender_reports == "none" or now_s < self._report_at_s:
            return []
        self._report_at_s = now_s + _REPORT_EVERY_S
        unix_s = time.time()
        if self._odd.sender_reports == "wrong-clock":
            unix_s = now_s % 1000  # 1970
        ntp = round((unix_s + _NTP_EPOCH_S) * 2**32) & (2**64 - 1)
        stamp = self.stamp_at(captured_ns)
        head = struct.pack(">BBH", 0x80, 200, 6)
        body = struct.pack(">IQIII", self.ssrc, ntp, stamp, self._packets & _WORD, self._bytes)
        name = b"simulated"
        items = bytes((1, len(name))) + name + b"\0"
        items += bytes(-len(items) % 4)
        names = struct.pack(">BBHI", 0x81, 202, 1 + len(items) // 4, self.ssrc) + items
        return [head + body + names]

    def build_bye(self) -> bytes:
        """Return an RTCP BYE after an empty receiver report."""
        empty = struct.pack(">BBHI", 0x80, 201, 1, self.ssrc)
        return empty + struct.pack(">BBHI", 0x81, 203, 1, self.ssrc)

    # --------------------------------------------------------------- one packet

    def _packet(self, payload: bytes, stamp: int, *, marker: bool) -> bytes:
        odd = self._odd
        first = 0x80 | odd.csrc
        extension = b""
        if odd.extension != "none":
            first |= 0x10
            profile, words = _EXTENSIONS[odd.extension]
            extension = struct.pack(">HH", profile, len(words) // 4) + words
        padding = b""
        if odd.padding:
            first |= 0x20
            padding = bytes(odd.padding - 1) + bytes((odd.padding,))
        second = self._payload_type | (0x80 if marker else 0)
        head = struct.pack(">BBHII", first, second, self._sequence, stamp, self.ssrc)
        sources = b"".join(struct.pack(">I", n + 1) for n in range(odd.csrc))
        self._sequence = (self._sequence + 1) & 0xFFFF
        self._packets += 1
        self._bytes = (self._bytes + len(payload)) & _WORD
        return head + sources + extension + payload + padding

    def _marks(self, piece: PayloadPiece, last: bool) -> bool:  # noqa: FBT001
        if self._odd.markers == "last":
            return last
        return self._odd.markers == "each-slice" and piece.ends_slice

    def _stamp(self, captured_ns: int) -> int:
        odd = self._odd
        self._frames += 1
        if odd.constant_stamps:
            return self._offset
        if odd.double_stamp_every is not None and self._frames % odd.double_stamp_every == 0:
            return self._last_stamp
        self._last_stamp = self.stamp_at(captured_ns)
        return self._last_stamp

    def _change(self, sample: SourceSample, elapsed_s: float) -> None:
        odd = self._odd
        if (odd.ssrc_each_keyframe and sample.keyframe and self._frames) or self._now(
            "ssrc", odd.ssrc_after, elapsed_s
        ):
            self.ssrc = self._random.getrandbits(32)
            self._sequence = self._random.getrandbits(16)
            if odd.ssrc_new_stamps:
                self._offset = self._random.getrandbits(32)
            self._report_at_s = 0.0
        if self._now("sequence", odd.sequence_jump_after, elapsed_s):
            self._sequence = (self._sequence + 20_000) & 0xFFFF
        if self._now("stamps", odd.stamp_jump_after, elapsed_s):
            jump_s = odd.stamp_jump_s or 0.0
            self._offset = (self._offset + round(jump_s * self._clock_hz)) & _WORD

    def _now(self, what: str, after_s: float | None, elapsed_s: float) -> bool:
        if what in self._jumped or not due(after_s, elapsed_s):
            return False
        self._jumped.add(what)
        self._ledger.note("misbehaviour", what=what)
        return True

    def _disturb(self, packets: list[OutletPacket]) -> list[OutletPacket]:
        """Drop, swap and duplicate packets."""
        odd = self._odd
        found: list[OutletPacket] = []
        for n, packet in enumerate(packets):
            self._sent += 1
            if odd.lose_every is not None and self._sent % odd.lose_every == 0:
                found.append(packet._replace(lost=True))
                continue
            swap = odd.reorder_every is not None and self._sent % odd.reorder_every == 0
            if swap and self._kept is None and n < len(packets) - 1:
                self._kept = packet
                continue
            found.append(packet)
            if odd.duplicate_every is not None and self._sent % odd.duplicate_every == 0:
                found.append(packet)
            if self._kept is not None:
                found.append(self._kept)
                self._kept = None
        if self._kept is not None:
            found.append(self._kept)
            self._kept = None
        return found
