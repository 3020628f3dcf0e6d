"""Open segment file and segment names: bytes, offsets and syncs, without threads."""

from __future__ import annotations

import logging
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from touchline.ipc.tee import Frame
from touchline.ipc.wire import RecordOrder
from touchline.media.mp4 import scan, writer
from touchline.media.mp4.fragment import MOOF_BYTES, TRUN_ENTRY_BYTES, fragment_part
from touchline.media.mp4.sample import Mp4Sample, ticks
from touchline.media.mp4.sampletable import SampleTable
from touchline.media.storage.disk import Disk

log = logging.getLogger(__name__)

_TABLE_BYTES, _TABLE_BYTES_A_FRAME = 2048, 32
"""Maximum size of the tables of a finished file: durations, offsets, sizes and keyframes."""


class SegmentNames:
    """Names such as `cam0_20260211_220241_00.mp4` with rising index; used names are skipped."""

    def __init__(self, order: RecordOrder) -> None:
        self._order = order
        self._index = order.first_index
        self._label = order.label
        self._leftovers: list[str] = []

    def create(self, disk: Disk, label: str | None) -> tuple[int, str, int]:
        """Create the next file; return its descriptor, name and index. Raises OSError."""
        if label is not None:
            self._label = label
        while True:
            name = f"{self._order.prefix}_{self._label}_{self._index:02d}.mp4"
            try:
                fd = disk.create(str(Path(self._order.directory, name)))
            except FileExistsError:
                self._index += 1
                continue
            index = self._index
            self._index += 1
            return fd, name, index

    def give_back(self, index: int) -> None:
        """Release the index of a removed file, so that a missing disk does not use up indexes."""
        self._index = index

    def remove(self, disk: Disk, path: str) -> bool:
        """Remove a file that is not needed; return whether that was possible now.

        A disk that refuses it is asked again by `remove_leftovers`.
        """
        try:
            disk.remove(path)
        except OSError as error:
            log.warning("%s will be removed later: %s", path, error)
            self._leftovers.append(path)
            return False
        return True

    def remove_leftovers(self, disk: Disk) -> None:
        """Remove the files that could not be removed before."""
        leftovers, self._leftovers = self._leftovers, []
        for path in leftovers:
            self.remove(disk, path)

    @property
    def order(self) -> RecordOrder:
        """Order in which the names sort."""
        return self._order


class OpenSegment:
    """A segment being written. `info` is its description for the server, kept up to date."""

    def __init__(self, disk: Disk, fd: int, path: str, names: SegmentNames, first: Frame) -> None:
        self._disk = disk
        self._names = names
        self._fd = fd
        self._path = path
        self._base_dts_ns = first.dts_ns
        self._base_pts_ns = first.pts_ns
        self._unix_offset_ns = names.order.unix_minus_monotonic_ns
        self._table = SampleTable(first.codec)
        self._sequence = 1
        self._offset = 0
        self._closed = False
        self.info: dict[str, Any] = {}

    @classmethod
    def create(
        cls, disk: Disk, names: SegmentNames, label: str | None, first: Frame
    ) -> OpenSegment:
        """Create the file with its header, durably.

        Raises OSError and then leaves no file, or one that is removed as soon as that is possible.
        """
        fd, name, index = names.create(disk, label)
        path = str(Path(names.order.directory, name))
        segment = cls(disk, fd, path, names, first)
        start = first.pts_ns + names.order.unix_minus_monotonic_ns
        try:
            head = writer.init_part(first.codec)
            disk.write_all(fd, head, 0)
            disk.sync(fd)
            disk.sync_directory(names.order.directory)
        except OSError:
            os.close(fd)
            if names.remove(disk, path):
                names.give_back(index)
            raise
        segment._offset = len(head)
        segment.info = {
            "name": name,
            "index": index,
            "start_unix_ns": start,
            "end_unix_ns": start,
            "frames": 0,
            "fragments": 0,
            "size_bytes": len(head),
            "width": first.codec.width,
            "height": first.codec.height,
            "finalized": False,
        }
        return segment

    def append(self, frames: Sequence[Frame], end_dts_ns: int) -> None:
        """Append a fragment and sync it.

        Raises OSError; the file then ends where it ended before, or salvage cuts it there.
        """
        samples = self._samples(frames, end_dts_ns)
        capture = frames[0].pts_ns + self._unix_offset_ns
        part = fragment_part(self._sequence, samples, capture)
        try:
            self._disk.write_all(self._fd, part, self._offset)
            self._disk.sync(self._fd)
        except OSError:
            self._disk.cut(self._fd, self._offset)
            raise
        data_at = self._offset + MOOF_BYTES + TRUN_ENTRY_BYTES * len(samples) + 8
        self._table.add(data_at, samples, samples[-1].duration)
        self._offset += len(part)
        self._sequence += 1
        end = end_dts_ns - self._base_dts_ns + self._base_pts_ns + self._unix_offset_ns
        self.info["end_unix_ns"] = end
        self.info["frames"] += len(samples)
        self.info["fragments"] += 1
        self.info["size_bytes"] = self._offset

    @property
    def offset(self) -> int:
        """Size of the file up to the last complete fragment."""
        return self._offset

    @property
    def closing_bytes(self) -> int:
        """Maximum number of bytes that finishing the file now would add."""
        return _TABLE_BYTES + int(self.info["frames"]) * _TABLE_BYTES_A_FRAME

    def repair_file(self, cut_at: int | None) -> bool:
        """Finish an abandoned file from its content, first cutting it at `cut_at` if given.

        Return False if no footage is left in it; the file is then removed. Raises OSError and can
        be called again then; FileNotFoundError means that the file no longer exists.
        """
        self.abandon()
        fd = self._disk.reopen(self._path)
        try:
            if cut_at is not None and os.fstat(fd).st_size > cut_at:
                self._disk.cut(fd, cut_at)
                self._disk.sync(fd)
        finally:
            os.close(fd)
        found = scan.salvage(self._path)
        start = found.start_unix_ns
        if start is None:
            self._disk.remove(self._path)
            return False
        self.info["frames"] = found.frames
        self.info["fragments"] = len(found.fragments)
        self.info["end_unix_ns"] = start + found.duration_ns
        self.info["size_bytes"] = Path(self._path).stat().st_size
        self.info["finalized"] = True
        return True

    def finish(self) -> None:
        """Convert the file to an ordinary MP4. Raises OSError and can be called again then."""
        size = scan.finish(self._disk, self._fd, self._table, self._offset, self._sequence)
        self.info["size_bytes"] = size
        self.info["finalized"] = True
        self.abandon()

    def discard(self) -> None:
        """Close and remove a file without footage of its own."""
        self.abandon()
        self._names.remove(self._disk, self._path)

    def abandon(self) -> None:
        """Close the file as it is: playable up to its last fragment."""
        if self._closed:
            return
        self._closed = True
        try:
            os.close(self._fd)
        except OSError as error:
            log.warning("closing %s: %s", self._path, error)

    def _samples(self, frames: Sequence[Frame], end_dts_ns: int) -> list[Mp4Sample]:
        starts = [ticks(f.dts_ns - self._base_dts_ns) for f in frames]
        ends = [*starts[1:], ticks(end_dts_ns - self._base_dts_ns)]
        return [
            Mp4Sample(
                data=f.data,
                dts=start,
                pts=ticks(f.pts_ns - self._base_pts_ns),
                duration=max(end - start, 0),
                keyframe=f.keyframe,
            )
            for f, start, end in zip(frames, starts, ends, strict=True)
        ]
