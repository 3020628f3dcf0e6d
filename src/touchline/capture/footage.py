"""What is in the segments of a match, frame by frame: read once, and again when a file has grown.

Everything but `Footage.read` blocks; it is called in a thread.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
from anyio import to_thread

from touchline.capture.manifest import parse_segment_name, segment_files
from touchline.capture.mediasegments import Part, stretches
from touchline.core.errors import NotFound
from touchline.foreign.files import status_of
from touchline.worker import mp4, mp4cut, mp4scan

KEPT_INDEXES = 48
PANORAMA = "panorama"
_PANORAMA_FILE = "panorama_archive.mp4"
_FOLLOW_FILE = "follow_archive.mp4"
ARCHIVES = {PANORAMA: _PANORAMA_FILE, "follow": _FOLLOW_FILE}
_THREADS = 2


@dataclass(frozen=True)
class Piece:
    """A file of footage and what is in it. `name` is its own, `folder` the one it lies in."""

    name: str
    path: Path
    index: mp4scan.Indexed
    part: Part

    @property
    def start_ns(self) -> int:
        """When its first frame was captured (Unix nanoseconds)."""
        return self.index.scan.start_unix_ns or 0

    @property
    def end_ns(self) -> int:
        """When its last frame ends."""
        return self.start_ns + self.index.scan.duration_ns

    def init(self) -> bytes:
        """The initialization section that its fragments need."""
        return mp4.live_init(self.index.table.codec)

    def source(self) -> mp4cut.Source:
        """Its frames on the clock of the match."""
        return mp4cut.source_of(self.path, self.start_ns, self.end_ns, self.index.table)


class Footage:
    """Belongs to the event loop; keeps the indexes of the files that were asked for last."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int], tuple[mp4scan.Indexed, Part]] = OrderedDict()
        self._limiter = anyio.CapacityLimiter(_THREADS)

    async def read(self, folder: Path, camera: str) -> list[Piece]:
        """A camera's files, or an archive, in the order of capture. Raises NotFound without any."""
        return await to_thread.run_sync(partial(self._read, folder, camera), limiter=self._limiter)

    def _read(self, folder: Path, camera: str) -> list[Piece]:
        if camera in ARCHIVES:
            paths = [folder / ARCHIVES[camera]]
        else:
            paths = sorted(
                path
                for path in segment_files(folder)
                if path.suffix == ".mp4" and parse_segment_name(path.name).camera == camera
            )
        pieces = []
        for path in paths:
            found = self._index(path)
            if found is not None and found[0].scan.fragments:
                pieces.append(Piece(path.name, path, *found))
        if not pieces:
            raise NotFound(f"There is no footage of {camera} in this match", code="no_such_footage")
        return sorted(pieces, key=lambda piece: piece.start_ns)

    def _index(self, path: Path) -> tuple[mp4scan.Indexed, Part] | None:
        try:
            state = status_of(path)
            key = (str(path), state.st_size, state.st_mtime_ns)
            found = self._kept.get(key)
            if found is not None:
                self._kept.move_to_end(key)
                return found
            index = mp4scan.index(path)
        except (OSError, mp4scan.NotSegment):
            return None  # it vanished, or is somebody else's
        found = (
            index,
            Part(index.table.codec, index.table.early_ticks, stretches(index.scan.fragments)),
        )
        if index.scan.finalized:
            self._kept[key] = found
            while len(self._kept) > KEPT_INDEXES:
                self._kept.popitem(last=False)
        return found
