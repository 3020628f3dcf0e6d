"""Conversion of RTP payloads to NAL units (RFC 6184, packetization modes 0 and 1).

Tolerates careless cameras: start codes in packets, a missing start or end bit although no packet is
missing. Sizes are strictly limited.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from touchline.worker.rtp.errors import StreamError

MAX_UNIT_BYTES = 16 << 20
"""More than the largest picture of a camera: 4K at 100 Mbit/s sends keyframes of 2 to 5 MB."""
_STAP_A, _FU_A = 24, 28
_INTERLEAVED = {25: "STAP-B", 26: "MTAP16", 27: "MTAP24", 29: "FU-B"}
_INTERLEAVED_MOST = 3
_START_CODE = b"\0\0\1"


@dataclass(frozen=True, slots=True)
class Unit:
    """A NAL unit with the RTP time and the arrival of its first packet.

    `whole` is false if a part is missing; the unit then contains its beginning.
    """

    data: bytes
    rtp_time: int
    arrived_ns: int
    whole: bool = True


class Depacketiser:
    """Depacketiser that calls `on_unit`, or `on_orphan` for a unit whose beginning is missing.

    Payloads are given in order. `on_orphan` receives the RTP time and the unit's type.
    """

    def __init__(
        self, on_unit: Callable[[Unit], None], on_orphan: Callable[[int, int], None]
    ) -> None:
        self.malformed = 0
        self._on_unit, self._on_orphan = on_unit, on_orphan
        self.open: bytearray | None = None
        """The unit whose fragments are being assembled."""
        self.open_type = 0
        self._open_time = self._open_arrived_ns = 0
        self._interleaved = 0

    def payload(self, data: bytes, rtp_time: int, arrived_ns: int) -> None:
        """Accept the payload of the next packet. Raises StreamError."""
        kind = data[0] & 0x1F if data else 0
        if kind == _FU_A:
            self._fragment(data, rtp_time, arrived_ns)
            return
        self._end_open()
        if 1 <= kind < _STAP_A:
            self._unit(data, rtp_time, arrived_ns)
        elif kind == _STAP_A:
            self._aggregate(data, rtp_time, arrived_ns)
        elif kind in _INTERLEAVED:
            self._refuse(_INTERLEAVED[kind])
        elif data.startswith((b"\0\0\1", b"\0\0\0\1")):
            self._split(data, rtp_time, arrived_ns, whole=True)
        elif data:
            self.malformed += 1

    def lost(self) -> None:
        """Record that packets are missing before the next: an open unit lacks its end."""
        self._end_open(whole=False)

    def end(self) -> None:
        """Handle the end of the stream; an open unit is passed on as incomplete."""
        self._end_open(whole=False)

    def _refuse(self, name: str) -> None:
        self.malformed += 1
        self._interleaved += 1
        if self._interleaved >= _INTERLEAVED_MOST:
            raise StreamError(
                f"the camera sends interleaved packets ({name} of RFC 6184), which are not"
                " supported; set it to packetization mode 1"
            )

    def _fragment(self, data: bytes, rtp_time: int, arrived_ns: int) -> None:
        if len(data) < 3:
            self.malformed += 1
            return
        head = data[1]
        if head & 0x80:
            self._end_open()
            self.open = bytearray((data[0] & 0xE0 | head & 0x1F,))
            self.open_type = head & 0x1F
            self._open_time, self._open_arrived_ns = rtp_time, arrived_ns
        elif self.open is None or self.open_type != head & 0x1F:
            self._end_open(whole=False)
            self._on_orphan(rtp_time, head & 0x1F)
            return
        self.extend(self.open, data[2:])
        if head & 0x40:
            self._end_open()

    def extend(self, unit: bytearray, piece: bytes | memoryview) -> None:
        """Append to the open unit. Raises StreamError."""
        unit += piece
        if len(unit) > MAX_UNIT_BYTES:
            self.open = None
            raise StreamError(f"the camera sends a picture of more than {MAX_UNIT_BYTES >> 20} MiB")

    def _end_open(self, *, whole: bool = True) -> None:
        if self.open is not None:
            data, self.open = bytes(self.open), None
            self._unit(data, self._open_time, self._open_arrived_ns, whole=whole)

    def _aggregate(self, data: bytes, rtp_time: int, arrived_ns: int) -> None:
        at, end = 1, len(data)
        while at + 2 <= end:
            size = int.from_bytes(data[at : at + 2], "big")
            at += 2
            if at + size > end:
                self.malformed += 1
                self._unit(data[at:end], rtp_time, arrived_ns, whole=False)
                return
            self._unit(data[at : at + size], rtp_time, arrived_ns)
            at += size

    def _unit(self, data: bytes, rtp_time: int, arrived_ns: int, *, whole: bool = True) -> None:
        if _START_CODE in data:
            self._split(data, rtp_time, arrived_ns, whole=whole)
            return
        data = data.rstrip(b"\0")  # no unit ends in zeros; some cameras fill packets up with them
        if data:
            self._on_unit(Unit(data, rtp_time, arrived_ns, whole))

    def _split(self, data: bytes, rtp_time: int, arrived_ns: int, *, whole: bool) -> None:
        """Pass on the units between start codes, which no unit may contain (Annex B)."""
        pieces = [piece.rstrip(b"\0") for piece in data.split(_START_CODE)]
        pieces = [piece for piece in pieces if piece]
        for number, piece in enumerate(pieces, 1):
            complete = whole or number < len(pieces)
            self._on_unit(Unit(piece, rtp_time, arrived_ns, complete))
