"""Sample tables of a file: position and duration of each frame, and the keyframes."""

from __future__ import annotations

import struct
import sys
from array import array
from collections.abc import Iterable, Iterator, Sequence
from itertools import pairwise

from touchline.media.h264.codec import Codec
from touchline.media.mp4.box import full_box, table_of
from touchline.media.mp4.sample import (
    I64_MAX,
    U32_MAX,
    Mp4Sample,
    SampleEntry,
    clamp_duration,
    clamp_offset,
)


class SampleTable:
    """Sample tables of a segment, extended by each fragment (about 17 bytes a frame).

    `codecs` has one entry unless differently encoded parts were joined.
    """

    def __init__(self, codec: Codec, *more: Codec) -> None:
        self.codec = codec
        self.codecs = (codec, *more)
        self._dts = array("q")
        self._offset = array("i")  # pts - dts
        self._size = array("I")
        self._sync = array("I")  # sample numbers of keyframes, from 1
        # File offset of the first sample, samples, number of the codec from 1.
        self._chunks: list[tuple[int, int, int]] = []
        self._last_duration = 0

    @property
    def frames(self) -> int:
        """Number of samples so far."""
        return len(self._dts)

    @property
    def end_ticks(self) -> int:
        """End of the last sample in decode order."""
        return self._dts[-1] + self._last_duration if self._dts else 0

    @property
    def early_ticks(self) -> int:
        """Longest time that a sample is shown before it is decoded."""
        return max(0, -min(self._offset, default=0))

    def entries(self) -> Iterator[tuple[int, SampleEntry]]:
        """Yield every sample in decode order, with its offset in the file."""
        sync = set(self._sync)
        number = 0
        for offset, samples, _ in self._chunks:
            at = offset
            for _ in range(samples):
                dts, size = self._dts[number], self._size[number]
                keyframe = number + 1 in sync
                yield at, SampleEntry(dts, dts + self._offset[number], size, keyframe)
                at += size
                number += 1

    def add(
        self,
        data_offset: int,
        samples: Iterable[SampleEntry | Mp4Sample],
        last_duration: int,
        *,
        codec_number: int = 1,
    ) -> None:
        """Add a fragment whose samples begin at `data_offset` of the file."""
        before = len(self._dts)
        for s in samples:
            self._dts.append(min(max(s.dts, 0), I64_MAX))
            self._offset.append(clamp_offset(s.pts - s.dts))
            self._size.append(s.size_bytes if isinstance(s, SampleEntry) else len(s.data))
            if s.keyframe:
                self._sync.append(len(self._dts))
        self._chunks.append((data_offset, len(self._dts) - before, codec_number))
        self._last_duration = clamp_duration(last_duration)

    def moved(self, by_bytes: int) -> SampleTable:
        """Return the tables for a file in which all samples start `by_bytes` later."""
        copy = SampleTable(*self.codecs)
        copy._dts, copy._offset, copy._size, copy._sync = (
            self._dts,
            self._offset,
            self._size,
            self._sync,
        )
        copy._chunks = [(offset + by_bytes, n, codec) for offset, n, codec in self._chunks]
        copy._last_duration = self._last_duration
        return copy

    def boxes(self) -> bytes:
        """Return the tables of `stbl` after `stsd`."""
        durations = [clamp_duration(b - a) for a, b in pairwise(self._dts)]
        durations.append(clamp_duration(self._last_duration))
        stts = _encode_runs(durations)
        ctts = _encode_runs(self._offset)
        stsc = _chunk_runs([(n, codec) for _, n, codec in self._chunks])
        wide = bool(self._chunks) and self._chunks[-1][0] > U32_MAX
        offsets = [o for o, _, _ in self._chunks]
        return b"".join(
            (
                full_box(b"stts", table_of(">II", [(n, v) for v, n in stts])),
                full_box(b"stss", struct.pack(">I", len(self._sync)) + _big_endian(self._sync)),
                full_box(b"ctts", table_of(">Ii", [(n, v) for v, n in ctts]), version=1)
                if any(v for v, _ in ctts)
                else b"",
                full_box(b"stsc", table_of(">III", stsc)),
                full_box(b"stsz", struct.pack(">II", 0, self.frames) + _big_endian(self._size)),
                full_box(
                    b"co64" if wide else b"stco",
                    table_of(">Q" if wide else ">I", [(o,) for o in offsets]),
                ),
            )
        )


def _big_endian(values: array[int]) -> bytes:
    copy = array(values.typecode, values)
    if sys.byteorder == "little":
        copy.byteswap()
    return copy.tobytes()


def _encode_runs(values: Iterable[int]) -> list[tuple[int, int]]:
    runs: list[tuple[int, int]] = []
    last, count = 0, 0
    for value in values:
        if count and value == last:
            count += 1
            continue
        if count:
            runs.append((last, count))
        last, count = value, 1
    if count:
        runs.append((last, count))
    return runs


def _chunk_runs(chunks: Sequence[tuple[int, int]]) -> list[tuple[int, int, int]]:
    """Return `stsc` rows: first chunk (from 1), samples per chunk, sample description."""
    rows: list[tuple[int, int, int]] = []
    for number, chunk in enumerate(chunks, 1):
        if not rows or rows[-1][1:] != chunk:
            rows.append((number, *chunk))
    return rows
