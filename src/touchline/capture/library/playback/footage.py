"""Frame indexes of a match's segments, read once, and again when a file has grown.

Everything but `Footage.read` blocks; it is called in a thread.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import NamedTuple

import anyio
from anyio import to_thread

from touchline.capture.library.manifest.rescan import segment_files
from touchline.capture.library.playback.mediasegments import MediaPart, stretches
from touchline.core.errors import NotFound, Refused
from touchline.foreign.files import status_of
from touchline.media import matchfiles
from touchline.media.mp4 import cut, scan, writer
from touchline.media.mp4.sampletable import SampleTable

KEPT_INDEXES = 48
PANORAMA = "panorama"
_PANORAMA_FILE = "panorama_archive.mp4"
_FOLLOW_FILE = "follow_archive.mp4"
ARCHIVES = {PANORAMA: _PANORAMA_FILE, "follow": _FOLLOW_FILE}
_THREADS = 2


@dataclass(frozen=True)
class FootageFile:
    """File of footage and its index."""

    name: str
    path: Path
    index: scan.Indexed
    part: MediaPart
    ours: bool

    @property
    def table(self) -> SampleTable | None:
        """Sample table of a file of another system; None for our own, which need none."""
        return None if self.ours else self.index.table

    @property
    def start_ns(self) -> int:
        """Capture time of its first frame (Unix nanoseconds)."""
        return self.index.scan.start_unix_ns or 0

    @property
    def end_ns(self) -> int:
        """End time of its last frame."""
        return self.start_ns + self.index.scan.duration_ns

    def init(self) -> bytes:
        """Return the initialization section that its fragments need."""
        return writer.live_init(self.index.table.codec)

    def source(self) -> cut.SegmentSource:
        """Return its frames on the clock of the match."""
        return cut.source_of(self.path, self.start_ns, self.end_ns, self.index.table)


class Filmed(NamedTuple):
    """Footage of a camera in the order of capture, and the reasons for excluded files.

    It has at least one piece.
    """

    pieces: tuple[FootageFile, ...]
    refused: str


class Footage:
    """Cache of the indexes of the most recently requested files."""

    def __init__(self) -> None:
        self._kept: OrderedDict[tuple[str, int, int], matchfiles.Read] = OrderedDict()
        self._limiter = anyio.CapacityLimiter(_THREADS)

    async def read(self, folder: Path, camera: str) -> Filmed:
        """Return a camera's files, or an archive.

        Raises NotFound if there are none, and Refused with the reason if none of them can be used.
        """
        return await to_thread.run_sync(partial(self._read, folder, camera), limiter=self._limiter)

    def _read(self, folder: Path, camera: str) -> Filmed:
        if camera in ARCHIVES:
            paths = [folder / ARCHIVES[camera]]
        else:
            paths = [path for path in segment_files(folder) if matchfiles.is_of(path.name, camera)]
        files = matchfiles.usable(paths, self._index)
        if not files.usable and camera not in ARCHIVES and files.refused:
            raise Refused(files.reason, code="footage_unusable")
        if not files.usable:
            raise NotFound(f"This match has no footage of {camera}", code="no_such_footage")
        pieces = tuple(
            FootageFile(
                path.name,
                path,
                index,
                MediaPart(
                    index.table.codec, index.table.early_ticks, stretches(index.scan.fragments)
                ),
                ours,
            )
            for path, index, ours in files.usable
        )
        return Filmed(pieces, files.reason)

    def _index(self, path: Path) -> matchfiles.Read:
        """Return the file's index, from the cache if the file is unchanged.

        Raises as `read` does.
        """
        state = status_of(path)
        key = (str(path), state.st_size, state.st_mtime_ns)
        found = self._kept.get(key)
        if found is not None:
            self._kept.move_to_end(key)
            return found
        found = matchfiles.read(path)
        if found.indexed.scan.finalized:
            self._kept[key] = found
            while len(self._kept) > KEPT_INDEXES:
                self._kept.popitem(last=False)
        return found
