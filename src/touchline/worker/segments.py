"""One open segment file and the names of segments: bytes, offsets and syncs, no threads."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from touchline.worker import mp4, mp4scan
from touchline.worker.tee import Frame
from touchline.worker.wire import RecordOrder


class Disk:
    """The few file operations of the recorder, so that a test can make them slow or fail."""

    def create(self, path: str) -> int:
        """Create a file that must not exist yet."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)

    def write_all(self, fd: int, data: bytes, offset: int) -> None:
        """Write all of `data` at `offset`."""
        view = memoryview(data)
        while view:
            written = os.pwrite(fd, view, offset)
            offset, view = offset + written, view[written:]

    def sync(self, fd: int) -> None:
        """Return when the data, and the size needed to read it, are on the disk."""
        os.fdatasync(fd)

    def sync_directory(self, path: str) -> None:
        """Return when the directory's entries are on the disk."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def free_bytes(self, path: str) -> int:
        """What an unprivileged process may still write."""
        stats = os.statvfs(path)
        return stats.f_bavail * stats.f_frsize


class SegmentNames:
    """`cam0_20260211_220241_00.mp4`: the index only ever rises, a taken name is passed over."""

    def __init__(self, order: RecordOrder) -> None:
        self._order = order
        self._index = order.first_index
        self._label = order.label

    def create(self, disk: Disk, label: str | None) -> tuple[int, str, int]:
        """Create the next file; returns its descriptor, name and index. Raises OSError."""
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

    @property
    def order(self) -> RecordOrder:
        """The order the names belong to."""
        return self._order


class OpenSegment:
    """A segment being written. `info` is what the server is told of it, kept up to date."""

    def __init__(self, disk: Disk, fd: int, order: RecordOrder, first: Frame) -> None:
        self._disk = disk
        self._fd = fd
        self._base_dts_ns = first.dts_ns
        self._base_pts_ns = first.pts_ns
        self._unix_offset_ns = order.unix_minus_monotonic_ns
        self._table = mp4.SampleTable(first.codec)
        self._sequence = 1
        self._offset = 0
        self.info: dict[str, Any] = {}

    @classmethod
    def create(
        cls, disk: Disk, names: SegmentNames, label: str | None, first: Frame
    ) -> OpenSegment:
        """Create the file with its head, durably. Raises OSError and then leaves no file behind."""
        fd, name, index = names.create(disk, label)
        segment = cls(disk, fd, names.order, first)
        start = first.pts_ns + names.order.unix_minus_monotonic_ns
        try:
            head = mp4.init_part(first.codec)
            disk.write_all(fd, head, 0)
            disk.sync(fd)
            disk.sync_directory(names.order.directory)
        except OSError:
            os.close(fd)
            Path(names.order.directory, name).unlink(missing_ok=True)
            raise
        segment._offset = len(head)  # noqa: SLF001
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

        Raises OSError, and then the file ends where it ended before (or is cut there on reopening).
        """
        samples = self._samples(frames, end_dts_ns)
        capture = frames[0].pts_ns + self._unix_offset_ns
        part = mp4.fragment_part(self._sequence, samples, capture)
        try:
            self._disk.write_all(self._fd, part, self._offset)
            self._disk.sync(self._fd)
        except OSError:
            os.ftruncate(self._fd, self._offset)
            raise
        data_at = self._offset + mp4.MOOF_BYTES + mp4.TRUN_ENTRY_BYTES * len(samples) + 8
        self._table.add(data_at, samples, samples[-1].duration)
        self._offset += len(part)
        self._sequence += 1
        end = end_dts_ns - self._base_dts_ns + self._base_pts_ns + self._unix_offset_ns
        self.info["end_unix_ns"] = end
        self.info["frames"] += len(samples)
        self.info["fragments"] += 1
        self.info["size_bytes"] = self._offset

    def finish(self) -> None:
        """Make it an ordinary MP4. Raises OSError; it can be called again then."""
        size = mp4scan.finish(self._fd, self._table, self._offset, self._sequence)
        self.info["size_bytes"] = size
        os.close(self._fd)
        self.info["finalized"] = True

    def discard(self, directory: str) -> None:
        """Close and remove a file that never got a fragment."""
        os.close(self._fd)
        Path(directory, self.info["name"]).unlink(missing_ok=True)

    def abandon(self) -> None:
        """Let the file go as it is: playable up to its last fragment."""
        try:
            os.close(self._fd)
        except OSError as error:
            self.info["close_error"] = str(error)

    def _samples(self, frames: Sequence[Frame], end_dts_ns: int) -> list[mp4.Sample]:
        starts = [mp4.ticks(f.dts_ns - self._base_dts_ns) for f in frames]
        ends = [*starts[1:], mp4.ticks(end_dts_ns - self._base_dts_ns)]
        return [
            mp4.Sample(
                data=f.data,
                dts=start,
                pts=mp4.ticks(f.pts_ns - self._base_pts_ns),
                duration=max(end - start, 0),
                keyframe=f.keyframe,
            )
            for f, start, end in zip(frames, starts, ends, strict=True)
        ]
