"""Active parameter sets of a stream and the codec that they define.

A picture uses the sets that precede it in the stream, by their ids. A sequence parameter set
changes only at a keyframe, and with it the codec. Picture parameter sets that are not part of the
codec are inserted before the pictures that need them, at the latest before every keyframe: so a
camera that changes them with each keyframe does not cause a new file each time.
"""

from __future__ import annotations

from typing import Generic, NamedTuple, TypeVar

from touchline.media.h264 import syntax
from touchline.media.h264.codec import Codec
from touchline.media.h264.syntax import SPS, Pps, Sps

MAX_BYTES = 16_384
"""No camera needs a longer set; 256 of them bound the memory."""


_Read = TypeVar("_Read")


class _Known(NamedTuple, Generic[_Read]):
    """A parameter set as received, and its parsed content."""

    raw: bytes
    read: _Read


class Sets(NamedTuple):
    """The active sets of one picture."""

    sps: Sps
    pps: Pps


class ParameterSets:
    """The newest parameter sets of the stream by id."""

    def __init__(self) -> None:
        self._sps: dict[int, _Known[Sps]] = {}
        self._pps: dict[int, _Known[Pps]] = {}
        self._active: _Known[Sps] | None = None
        self._codec = Codec(0, 0, b"")
        self._in_codec: dict[int, bytes] = {}
        self._sent: dict[int, bytes] = {}

    def add(self, unit: bytes) -> None:
        """Add a set from the stream or its description. Raises ValueError for a damaged one."""
        if len(unit) > MAX_BYTES:
            raise ValueError(f"a parameter set of {len(unit)} bytes is too large")
        if any(unit == sps.raw for sps in self._sps.values()):
            return
        if any(unit == pps.raw for pps in self._pps.values()):
            return
        if unit and unit[0] & 0x1F == SPS:
            sequence_set = syntax.read_sps(unit)
            self._sps[sequence_set.sps_id] = _Known(unit, sequence_set)
        else:
            picture_set = syntax.read_pps(unit)
            self._pps[picture_set.pps_id] = _Known(unit, picture_set)

    def of_picture(self, pps_id: int, *, may_change: bool) -> Sets | None:
        """Return the sets of a picture that refers to this picture set; None while unknown.

        Without `may_change`, the active sequence set is kept, whatever has arrived since.
        """
        pps = self._pps.get(pps_id)
        if pps is None:
            return None
        sps = self._sequence_set(pps.read.sps_id, may_change=may_change)
        return None if sps is None else Sets(sps.read, pps.read)

    def _sequence_set(self, sps_id: int, *, may_change: bool) -> _Known[Sps] | None:
        active = self._active
        if active is not None and active.read.sps_id == sps_id and not may_change:
            return active
        return self._sps.get(sps_id)

    def begin(self, sets: Sets, *, keyframe: bool, may_change: bool) -> tuple[Codec, list[bytes]]:
        """Return the codec of a picture with these sets, and the units to insert before it.

        Pictures are given in order; the first is a keyframe.
        """
        sps_id = sets.pps.sps_id
        if keyframe or self._active is None:
            found = self._sequence_set(sps_id, may_change=may_change)
            if found is not None and found != self._active:
                self._active = found
                self._in_codec = self._picture_sets_of(sps_id)
                self._codec = _codec(found, self._in_codec)
            self._sent = dict(self._in_codec)
            wanted = self._picture_sets_of(sps_id)
        else:
            wanted = {sets.pps.pps_id: self._pps[sets.pps.pps_id].raw}
        new = {n: raw for n, raw in wanted.items() if self._sent.get(n) != raw}
        self._sent.update(new)
        return self._codec, list(new.values())

    def _picture_sets_of(self, sps_id: int) -> dict[int, bytes]:
        """Return the picture sets that refer to a sequence set."""
        found = {n: pps.raw for n, pps in sorted(self._pps.items()) if pps.read.sps_id == sps_id}
        return dict(list(found.items())[:255])


def _codec(known: _Known[Sps], picture_sets: dict[int, bytes]) -> Codec:
    """Build the decoder configuration record (ISO/IEC 14496-15, 5.3.3.1)."""
    raw, sps = known
    parts = [b"\x01", raw[1:4], b"\xff\xe1", len(raw).to_bytes(2, "big"), raw]
    parts.append(bytes([len(picture_sets)]))
    for each in picture_sets.values():
        parts += [len(each).to_bytes(2, "big"), each]
    if sps.profile in {100, 110, 122, 144}:
        parts.append(
            bytes([0xFC | sps.chroma_format, 0xF8 | sps.luma_bits - 8, 0xF8 | sps.chroma_bits - 8])
            + b"\0"
        )
    return Codec(sps.width, sps.height, b"".join(parts))
