"""A video file that grows like a recording: complete fragments, each with its capture time.

It is a segment file (`media.mp4`): playable while it grows, an ordinary MP4 once finished, and
after a crash it can be cut to its last complete fragment and continued.
"""

from __future__ import annotations

import os
from itertools import pairwise
from pathlib import Path

from touchline.foreign.files import create_new, open_regular
from touchline.media.mp4 import scan, writer
from touchline.media.storage.disk import Disk
from touchline.studio.pictures.encoder import EncodedPicture


class Film:
    """A file being written. Fragments begin at keyframes; `sync` makes them survive a crash."""

    def __init__(
        self, path: Path, codec: writer.Codec, *, after: scan.Reopened | None = None
    ) -> None:
        """Begin a new file, or continue after the content found in `after`. Raises OSError."""
        self.path = path
        self._disk = Disk()
        self._waiting: list[EncodedPicture] = []
        self._first_ns: int | None = None
        self._decode_from_ns = 0
        self._fd = open_regular(path, os.O_RDWR) if after else create_new(path)
        if after is None:
            head = writer.init_part(codec)
            self._disk.write_all(self._fd, head, 0)
            self._table, self._sequence, self._offset = writer.SampleTable(codec), 1, len(head)
        else:
            # Only files of this encoder are continued: they have no reordered frames.
            self._first_ns = self._decode_from_ns = after.fragments[0].capture_unix_ns
            self._table, self._offset = after.table, after.end_offset
            self._sequence = after.fragments[-1].sequence + 1
            os.ftruncate(self._fd, self._offset)

    @property
    def frames(self) -> int:
        """Number of frames in the file so far."""
        return self._table.frames

    def append(self, coded: EncodedPicture) -> None:
        """Add a picture; it is written with the next keyframe. Raises OSError."""
        if coded.keyframe and self._waiting:
            self._write(coded.order_ns)
        self._waiting.append(coded)

    def finish(self, end_ns: int) -> None:
        """Write the remaining pictures, the last up to `end_ns`, and make it an ordinary MP4."""
        if self._waiting:
            self._write(end_ns)
        scan.finish(self._disk, self._fd, self._table, self._offset, self._sequence)
        self.close()

    def close(self) -> None:
        """Close the file as it is."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def _write(self, end_ns: int) -> None:
        waiting, self._waiting = self._waiting, []
        if self._first_ns is None:
            self._first_ns = waiting[0].at_ns
            self._decode_from_ns = waiting[0].order_ns
        starts = [writer.ticks(c.order_ns - self._decode_from_ns) for c in waiting]
        starts.append(max(writer.ticks(end_ns - self._decode_from_ns), starts[-1] + 1))
        samples = [
            writer.Mp4Sample(
                c.data, start, writer.ticks(c.at_ns - self._first_ns), end - start, c.keyframe
            )
            for c, (start, end) in zip(waiting, pairwise(starts), strict=True)
        ]
        part = writer.fragment_part(self._sequence, samples, waiting[0].at_ns)
        self._disk.write_all(self._fd, part, self._offset)
        data_at = self._offset + writer.MOOF_BYTES + writer.TRUN_ENTRY_BYTES * len(samples) + 8
        self._table.add(data_at, samples, samples[-1].duration)
        self._offset += len(part)
        self._sequence += 1

    @classmethod
    def resumed(cls, path: Path, codec: writer.Codec) -> tuple[Film, int] | None:
        """Reopen an earlier run's file, cut to its last complete fragment; return it and its end.

        Returns None if there is nothing to continue: no file, another codec, or no complete
        fragment. Times are Unix nanoseconds.
        """
        try:
            reopened = scan.reopen(path)
        except (OSError, scan.NotSegment):
            return None
        if reopened is None or reopened.table.codec != codec:
            return None
        last = reopened.fragments[-1]
        return cls(path, codec, after=reopened), last.capture_unix_ns + last.duration_ns
