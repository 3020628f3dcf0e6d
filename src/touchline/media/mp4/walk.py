"""A walk through a segment file that finds its fragments and locates damage.

Memory is bounded whatever the size of the file: the header of one fragment at a time, and 1 MiB of
payload if checksums are checked.
"""

from __future__ import annotations

import os
import re
import struct
import zlib
from dataclasses import dataclass
from typing import NamedTuple

from touchline.media.h264.codec import Codec
from touchline.media.mp4 import writer
from touchline.media.mp4.fragment import KEYFRAME_FLAGS, MOOF_BYTES, TRUN_ENTRY_BYTES, read_moof
from touchline.media.mp4.movie import read_codec
from touchline.media.mp4.record import FINAL, FRAGMENT, INIT, RECORD_BYTES, RECORD_UUID, read_record
from touchline.media.mp4.sample import SampleEntry, ticks_to_ns
from touchline.media.mp4.sampletable import SampleTable

READ_BYTES = 8192  # a record and the next fragment's header in one read
_CHUNK_BYTES = 1 << 20
_MAX_SAMPLES = 100_000
_MARKS = re.compile(b"moof|" + re.escape(RECORD_UUID))
_TRUN_ROW = struct.Struct(">IIIi")


class NotSegment(ValueError):
    """The file was not written by touchline; its content is unknown."""


class ScannedFragment(NamedTuple):
    """A complete fragment: its position, number of frames and capture times.

    `start_ns` is on the segment's own timeline, `capture_unix_ns` on the match clock.
    """

    offset: int
    size_bytes: int
    sequence: int
    samples: int
    keyframe: bool
    start_ns: int
    duration_ns: int
    capture_unix_ns: int


class Damage(NamedTuple):
    """Damage: its byte offset, fragment (0 is the header, None the end) and description."""

    offset: int
    fragment: int | None
    what: str


@dataclass(frozen=True)
class SegmentScan:
    """Result of a walk through a segment.

    `fragments` are the complete ones; `good_bytes` is the end of the last of them. `finalized` says
    that the file was ended regularly and the tables at its end are complete.
    """

    path: str
    size_bytes: int
    finalized: bool
    width: int
    height: int
    fragments: tuple[ScannedFragment, ...]
    faults: tuple[Damage, ...]
    good_bytes: int

    @property
    def frames(self) -> int:
        """Number of frames in complete fragments."""
        return sum(f.samples for f in self.fragments)

    @property
    def start_unix_ns(self) -> int | None:
        """Capture time of the first frame; None for a segment without footage."""
        return self.fragments[0].capture_unix_ns if self.fragments else None

    @property
    def duration_ns(self) -> int:
        """Time from the start of the first frame to the end of the last one, including gaps."""
        if not self.fragments:
            return 0
        last = self.fragments[-1]
        return last.start_ns + last.duration_ns - self.fragments[0].start_ns


class _DamagedPart(Exception):
    """The data at `offset` is invalid."""

    def __init__(self, offset: int, what: str) -> None:
        super().__init__(what)
        self.offset, self.what = offset, what


class Walk:
    """One walk through one file."""

    def __init__(
        self,
        fd: int,
        path: str,
        *,
        checksums: bool,
        checksums_from: int = 0,
        keep_samples: bool = False,
    ) -> None:
        self._fd = fd
        self._path = path
        self._checksums = checksums
        self._checksums_from = checksums_from
        self._keep = keep_samples
        self._size = os.fstat(fd).st_size
        self._window, self._window_at = b"", 0
        self._fragments: list[ScannedFragment] = []
        self._faults: list[Damage] = []
        self._codec: Codec | None = None
        self.table: SampleTable | None = None

    def run(self) -> SegmentScan:
        """Walk the file once. Raises OSError, and NotSegment if another system wrote it."""
        head = self._read(0, READ_BYTES)
        whole_type = writer.init_part_head()
        if not whole_type.startswith(head[: len(whole_type)]) and RECORD_UUID not in head:
            raise NotSegment(f"{self._path} is not a segment of touchline")
        switched = self._is_switched(head)
        at, sequence = self._head(head)
        final_at: int | None = None
        while at < self._size:
            if self._is_final(at, switched=switched):
                final_at = at
                break
            try:
                fragment = self._fragment(at, sequence)
            except _DamagedPart as broken:
                self._faults.append(Damage(broken.offset, sequence, broken.what))
                later = self._later_fragment(at, sequence)
                if later is not None:  # fragments before it are missing, it is complete
                    self._fragments.append(later)
                    at, sequence = at + later.size_bytes, later.sequence + 1
                    continue
                at, found = self._resync(at + 1, sequence)
                if found > sequence + 1:
                    what = f"fragments up to {found - 1} cannot be recognised"
                    self._faults.append(Damage(broken.offset, sequence + 1, what))
                sequence = found
                continue
            self._fragments.append(fragment)
            at, sequence = at + fragment.size_bytes, sequence + 1
        finalized = self._end(final_at, sequence, switched=switched)
        last = self._fragments[-1] if self._fragments else None
        codec = self._codec or Codec(0, 0, b"")
        return SegmentScan(
            path=self._path,
            size_bytes=self._size,
            finalized=finalized,
            width=codec.width,
            height=codec.height,
            fragments=tuple(self._fragments),
            faults=tuple(self._faults),
            good_bytes=last.offset + last.size_bytes if last else 0,
        )

    def _later_fragment(self, at: int, sequence: int) -> ScannedFragment | None:
        """Return the complete fragment at `at` if it can follow the missing ones before it."""
        head = self._read(at, MOOF_BYTES)
        fields = read_moof(head) if len(head) == MOOF_BYTES else None
        if fields is None or fields[0] <= sequence:
            return None
        try:
            return self._fragment(at, fields[0])
        except _DamagedPart:
            return None

    def _final_at(self) -> int:
        """Return the offset of the tables in the file's header; valid only if it was switched."""
        return writer.FREE_OFFSET + int.from_bytes(self._read(writer.FREE_OFFSET + 8, 8), "big")

    def _is_final(self, at: int, *, switched: bool) -> bool:
        """Return whether the tables start here. One flipped bit turns a `moof` into a `moov`."""
        if switched and at == self._final_at():
            return True
        box = self._read(at, 8)
        if len(box) < 8 or box[4:] != b"moov":
            return False
        end = at + int.from_bytes(box[:4], "big") + RECORD_BYTES
        return end == self._size or (end > self._size and not switched)

    def _read(self, at: int, length: int) -> bytes:
        """Return bytes of the file; fewer at its end."""
        start = at - self._window_at
        if start < 0 or start + length > len(self._window):
            self._window = os.pread(self._fd, max(length, READ_BYTES), at)
            self._window_at, start = at, 0
        return self._window[start : start + length]

    def _is_switched(self, head: bytes) -> bool:
        """Return whether the 16 bytes of `free` are now the `mdat` header of the whole file."""
        found = head[writer.FREE_OFFSET : writer.FREE_OFFSET + 16]
        if found == writer.FREE or len(found) < len(writer.FREE):
            return False
        if found[:8] != writer.mdat_header(0xFFFF)[:8]:
            self._faults.append(Damage(writer.FREE_OFFSET, 0, "the file's data header is damaged"))
        return True

    def _head(self, head: bytes) -> tuple[int, int]:
        """Check the part before the first fragment; return the offset and number of that one."""
        try:
            moov_at = writer.FREE_OFFSET + 16
            if len(head) < moov_at + 8:
                raise _DamagedPart(len(head), "the file ends within its header")
            size = int.from_bytes(head[moov_at : moov_at + 4], "big")
            if head[moov_at + 4 : moov_at + 8] != b"moov" or not 8 < size < READ_BYTES - moov_at:
                raise _DamagedPart(moov_at, "the movie header is damaged")
            body = head[: writer.FREE_OFFSET] + writer.FREE + head[moov_at : moov_at + size]
            self._record(moov_at + size, INIT, 0, 0, zlib.crc32(body))
            if not head.startswith(writer.init_part_head()):
                raise _DamagedPart(0, "the file type header is damaged")
            self._codec = read_codec(head[moov_at : moov_at + size])
            self.table = SampleTable(self._codec)
        except _DamagedPart as broken:
            self._faults.append(Damage(broken.offset, 0, broken.what))
            return self._resync(writer.FREE_OFFSET, 0)
        return moov_at + size + RECORD_BYTES, 1

    def _record(self, at: int, kind: int, sequence: int, samples: int, crc: int | None) -> int:
        """Check the record at `at` and return its capture time; `crc` None skips the checksum."""
        data = self._read(at, RECORD_BYTES)
        if len(data) < RECORD_BYTES:
            raise _DamagedPart(self._size, "the file ends before the part's record")
        fields = read_record(data)
        if fields is None or fields[:2] != (kind, sequence):
            raise _DamagedPart(at, "the fragment's record is damaged")
        if fields.samples != samples:
            raise _DamagedPart(at, "the fragment's record has a different number of frames")
        if crc is not None and zlib.crc32(data[:-4], crc) != fields.crc:
            raise _DamagedPart(at - 1, "the checksum does not match")
        return fields.capture_unix_ns

    def _fragment(self, at: int, sequence: int) -> ScannedFragment:
        head = self._read(at, MOOF_BYTES)
        if len(head) < MOOF_BYTES:
            raise _DamagedPart(self._size, "the file ends within a fragment's header")
        fields = read_moof(head)
        if fields is None:
            raise _DamagedPart(at, "a fragment's header is damaged")
        found, dts, samples = fields
        if found != sequence:
            raise _DamagedPart(at, f"found fragment {found} instead of fragment {sequence}")
        if samples > _MAX_SAMPLES:
            raise _DamagedPart(at, "a fragment's header is damaged")
        rows_at, rows_bytes = at + MOOF_BYTES, samples * TRUN_ENTRY_BYTES
        rows = self._read(rows_at, rows_bytes + 8)
        if len(rows) < rows_bytes + 8:
            raise _DamagedPart(self._size, "the file ends within a fragment's header")
        entries = list(_TRUN_ROW.iter_unpack(rows[:rows_bytes]))
        mdat_bytes, kind = struct.unpack_from(">I4s", rows, rows_bytes)
        data_at = rows_at + rows_bytes + 8
        if kind != b"mdat" or mdat_bytes != 8 + sum(row[1] for row in entries):
            raise _DamagedPart(
                data_at - 8, "the sizes of the frames do not match the fragment's data"
            )
        end = data_at - 8 + mdat_bytes
        if end > self._size:
            raise _DamagedPart(self._size, "the file ends within a fragment's data")
        checked = self._checksums and end > self._checksums_from
        crc = self._crc(at, end) if checked else None
        capture_unix_ns = self._record(end, FRAGMENT, sequence, samples, crc)
        if self._fragments and self._fragments[-1].start_ns > ticks_to_ns(dts):
            raise _DamagedPart(at, "the fragment starts before the end of the previous one")
        duration = sum(row[0] for row in entries)
        if self._keep and self.table is not None:
            self.table.add(data_at, _entries(dts, entries), entries[-1][0])
        return ScannedFragment(
            offset=at,
            size_bytes=end + RECORD_BYTES - at,
            sequence=sequence,
            samples=samples,
            keyframe=entries[0][2] == KEYFRAME_FLAGS,
            start_ns=ticks_to_ns(dts),
            duration_ns=ticks_to_ns(duration),
            capture_unix_ns=capture_unix_ns,
        )

    def _crc(self, at: int, end: int) -> int:
        crc = 0
        while at < end:
            data = os.pread(self._fd, min(_CHUNK_BYTES, end - at), at)
            if not data:
                raise _DamagedPart(at, "the file ends within a fragment's data")
            crc, at = zlib.crc32(data, crc), at + len(data)
        return crc

    def _resync(self, at: int, sequence: int) -> tuple[int, int]:
        """Return where the walk continues after the broken part `sequence`, and at which fragment.

        This is the end of its own record or the next fragment's header, whichever comes first;
        otherwise the tables, if the header says where they are; otherwise the end of the file.
        """
        not_before = at
        while at < self._size:
            data = os.pread(self._fd, _CHUNK_BYTES, at)
            for found in _MARKS.finditer(data):
                next_part = self._part_at(at + found.start(), sequence)
                if next_part is not None and next_part[0] >= not_before:
                    return next_part
            if len(data) <= RECORD_BYTES:
                break
            at += len(data) - RECORD_BYTES
        final_at = self._final_at() if self._size > writer.FREE_OFFSET + 16 else 0
        if final_at < self._size and os.pread(self._fd, 8, final_at)[4:] == b"moov":
            return final_at, sequence + 1
        return self._size, sequence

    def _part_at(self, mark_at: int, sequence: int) -> tuple[int, int] | None:
        """Return the part at a mark: a later fragment, or the end of the broken one's record."""
        moof_at = mark_at - 4
        moof = os.pread(self._fd, MOOF_BYTES, max(moof_at, 0))
        fields = read_moof(moof) if len(moof) == MOOF_BYTES else None
        if fields is not None and fields[0] > sequence:
            return moof_at, fields[0]
        record_at = mark_at - 8
        record = read_record(os.pread(self._fd, RECORD_BYTES, max(record_at, 0)))
        kind = FRAGMENT if sequence else INIT
        if record is not None and record[:2] == (kind, sequence):
            return record_at + RECORD_BYTES, sequence + 1
        return None

    def _end(self, final_at: int | None, sequence: int, *, switched: bool) -> bool:
        """Check the final part; True if the file was finished and has complete tables."""
        if final_at is None:
            if switched:
                self._faults.append(Damage(self._size, None, "the final index is missing"))
            return False
        try:
            self._final_part(final_at, sequence)
            if switched and self._final_at() != final_at:
                raise _DamagedPart(writer.FREE_OFFSET, "the file's data header is damaged")
        except _DamagedPart as broken:
            self._faults.append(Damage(broken.offset, None, broken.what))
            return broken.offset == writer.FREE_OFFSET
        return switched  # not switched: a crash came in between, and salvage repeats it

    def _final_part(self, final_at: int, sequence: int) -> None:
        record_at = final_at + int.from_bytes(self._read(final_at, 4), "big")
        if record_at + RECORD_BYTES != self._size:
            raise _DamagedPart(final_at, "the final index is truncated or followed by other data")
        data = os.pread(self._fd, RECORD_BYTES, record_at)
        fields = read_record(data)
        if fields is None or fields.kind != FINAL:
            raise _DamagedPart(record_at, "the final record is damaged")
        if zlib.crc32(data[:-4], self._crc(final_at, record_at)) != fields.crc:
            raise _DamagedPart(final_at, "the checksum of the final index does not match")
        counted = (sequence, sum(f.samples for f in self._fragments))
        if not self._faults and (fields.sequence, fields.samples) != counted:
            raise _DamagedPart(record_at, "the final record has a different number of fragments")


def _entries(dts: int, rows: list[tuple[int, ...]]) -> list[SampleEntry]:
    entries = []
    for duration, size, flags, offset in rows:
        entries.append(SampleEntry(dts, dts + offset, size, flags == KEYFRAME_FLAGS))
        dts += duration
    return entries
