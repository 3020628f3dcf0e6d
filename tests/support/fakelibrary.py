"""Stand-ins for the library and its archives."""

from __future__ import annotations

from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import anyio

from touchline.capture.library.stretches import MatchInterval
from touchline.core.errors import Failed, NotFound, Refused
from touchline.core.tasks import Changed


@dataclass
class FakeArchive:
    """An archive of the given chunks; counts how often one is open."""

    name: str
    parts: tuple[bytes, ...]
    known_size: bool = True
    fails_after: int | None = None
    open_count: int = 0

    @property
    def size_bytes(self) -> int | None:
        return sum(map(len, self.parts)) if self.known_size else None

    async def chunks(self) -> AsyncIterator[bytes]:
        self.open_count += 1
        try:
            for number, part in enumerate(self.parts):
                if number == self.fails_after:
                    raise Failed("A file of the match was truncated", code="file_shrank")
                yield part
                await anyio.lowlevel.checkpoint()
        finally:
            self.open_count -= 1


@dataclass
class FakeLibrary:
    """Serves what lies in `root`, trusting its caller with names: never for traversal tests."""

    root: Path
    running: str | None = None
    archives: dict[str, FakeArchive] = field(default_factory=dict)
    changed: Changed = field(default_factory=Changed)

    async def list(self) -> bytes:
        return b'{"recordings":{}}'

    async def between(self, from_s: float, to_s: float) -> Sequence[MatchInterval]:
        del from_s, to_s
        return []

    async def segments(self, match_id: str) -> dict[str, Any]:
        self._folder(match_id)
        return {
            "match_id": match_id,
            "type": "single",
            "cam0": [],
            "cam1": [],
            "other": [],
            "total_size_mb": 0.0,
            "segments_count": 0,
        }

    async def delete(self, match_id: str) -> dict[str, Any]:
        self._folder(match_id)
        if match_id == self.running:
            raise Refused(f"Recording {match_id} is running; stop it first", code="match_running")
        return {
            "status": "deleted",
            "match_id": match_id,
            "files_deleted": 0,
            "size_mb_freed": 0.0,
        }

    async def segment_path(self, match_id: str, segment_name: str) -> Path:
        path = self.root / match_id / "segments" / segment_name
        if not path.is_file():
            raise NotFound("Segment not found")
        return path

    async def file_path(self, match_id: str, file_name: str) -> Path:
        path = self.root / match_id / file_name
        if not path.is_file():
            raise NotFound("Recording file not found")
        return path

    async def archive(self, match_id: str) -> FakeArchive:
        if match_id not in self.archives:
            raise NotFound(f"Recording {match_id} not found")
        return self.archives[match_id]

    async def cameras(self, match_id: str) -> Sequence[str]:
        if match_id not in {path.name for path in self.root.iterdir()}:
            raise NotFound(f"Recording {match_id} not found", code="recording_not_found")
        return ("cam0", "cam1")

    async def list_archives_of(self, match_id: str) -> dict[str, bool]:
        del match_id
        return dict.fromkeys(("cam0", "cam1", "panorama", "follow"), False)

    async def folder(self, match_id: str) -> Path:
        return self._folder(match_id)

    def is_running(self, match_id: str) -> bool:
        return match_id == self.running

    async def protect(self, match_id: str, *, protected: bool) -> dict[str, Any]:
        self._folder(match_id)
        return {"match_id": match_id, "protected": protected}

    async def verify(self, match_id: str) -> dict[str, Any]:
        self._folder(match_id)
        return {
            "match_id": match_id,
            "ok": True,
            "checksums": True,
            "cameras": {},
            "faults": [],
            "foreign": [],
            "start_skew_s": None,
        }

    def _folder(self, match_id: str) -> Path:
        folder = self.root / match_id
        if not folder.is_dir():
            raise NotFound(f"Recording {match_id} not found")
        return folder
