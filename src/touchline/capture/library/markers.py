"""Markers set in a match, stored as `markers.json` in its folder and replaced atomically."""

from __future__ import annotations

import logging
import secrets
import time
from collections.abc import Callable, Collection
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from touchline.capture.library.answers import MarkerKind, MarkerState
from touchline.capture.library.library import Library
from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.library.wholefile import write_whole
from touchline.core.errors import Failed, Invalid, NotFound
from touchline.foreign.files import read_bytes
from touchline.foreign.text import vtt_text

log = logging.getLogger(__name__)

FILE = "markers.json"
MOST = 2000
_NANO = 1_000_000_000


class Marker(BaseModel):
    """Marked moment of a match.

    `at_unix_ns` is on the match clock, `created_unix_ns` a date.
    """

    model_config = ConfigDict(frozen=True, extra="ignore")

    marker_id: str
    kind: MarkerKind = "other"
    text: str = Field("", max_length=200)
    team: str = Field("", max_length=80)
    at_unix_ns: int
    created_unix_ns: int


class _File(BaseModel):
    format_version: int = 1
    markers: tuple[Marker, ...] = ()


class Markers:
    """Markers of all matches, read on demand."""

    def __init__(
        self,
        library: Library,
        *,
        match_now_ns: Callable[[str], int | None],
        now_ns: Callable[[], int] = time.time_ns,
    ) -> None:
        """Create the markers of `library`.

        `match_now_ns` returns the present on the clock of a match that is being recorded.
        """
        self._library = library
        self._match_now_ns = match_now_ns
        self._now_ns = now_ns
        self._writing = anyio.Lock()
        # A separate limiter, because the general pool is the recorder's.
        self._threads = anyio.CapacityLimiter(2)

    async def all(self, match_id: str) -> list[MarkerState]:
        """Return the markers of a match, sorted by time. Raises NotFound."""
        folder, manifest = await self._match(match_id)
        found = await to_thread.run_sync(_read, folder, limiter=self._threads)
        return [_marker_state(marker, manifest) for marker in found]

    async def moments(self, match_id: str, kinds: Collection[str] | None) -> list[int]:
        """Return the times of markers of these kinds, on the match clock. Raises NotFound."""
        folder, _ = await self._match(match_id)
        found = await to_thread.run_sync(_read, folder, limiter=self._threads)
        return [marker.at_unix_ns for marker in found if kinds is None or marker.kind in kinds]

    async def add(
        self, match_id: str, *, at_s: float | None, seconds_ago: float, **fields: Any
    ) -> MarkerState:
        """Add a marker at that second of the match, or at the present.

        Raises NotFound and Invalid.
        """
        folder, manifest = await self._match(match_id)
        present_ns = self._match_now_ns(match_id)
        if at_s is not None:
            at_ns = manifest.origin_ns + int(at_s * _NANO)
        elif present_ns is not None:
            at_ns = present_ns - int(seconds_ago * _NANO)
        else:
            raise Invalid(
                "A marker of a finished match needs a time",
                code="marker_without_time",
                loc=("body", "at"),
            )
        marker = Marker(
            marker_id=secrets.token_hex(8),
            at_unix_ns=at_ns,
            created_unix_ns=self._now_ns(),
            **fields,
        )
        await self._change(folder, lambda markers: [*markers, marker])
        return _marker_state(marker, manifest)

    async def change(
        self, match_id: str, marker_id: str, *, at_s: float | None, **fields: Any
    ) -> MarkerState:
        """Change the given fields of a marker. Raises NotFound."""
        folder, manifest = await self._match(match_id)
        changes = dict(fields)
        if at_s is not None:
            changes["at_unix_ns"] = manifest.origin_ns + int(at_s * _NANO)
        changed: list[Marker] = []

        def apply(markers: list[Marker]) -> list[Marker]:
            kept = []
            for marker in markers:
                if marker.marker_id == marker_id:
                    marker = Marker.model_validate({**marker.model_dump(), **changes})  # noqa: PLW2901
                    changed.append(marker)
                kept.append(marker)
            return kept

        await self._change(folder, apply)
        if not changed:
            raise NotFound(f"Marker {marker_id} not found", code="marker_not_found")
        return _marker_state(changed[0], manifest)

    async def remove(self, match_id: str, marker_id: str) -> None:
        """Remove a marker. Raises NotFound."""
        folder, _ = await self._match(match_id)
        before: list[int] = []

        def apply(markers: list[Marker]) -> list[Marker]:
            before.append(len(markers))
            return [marker for marker in markers if marker.marker_id != marker_id]

        left = await self._change(folder, apply)
        if len(left) == before[0]:
            raise NotFound(f"Marker {marker_id} not found", code="marker_not_found")

    async def chapters(self, match_id: str) -> str:
        """Return the markers as WebVTT chapters. Raises NotFound."""
        found = await self.all(match_id)
        lines = ["WEBVTT", ""]
        for number, marker in enumerate(found):
            end_s = found[number + 1]["at"] if number + 1 < len(found) else marker["at"] + 10
            if end_s <= marker["at"]:
                end_s = marker["at"] + 0.001
            title = " ".join(filter(None, (marker["kind"], marker["team"], marker["text"])))
            lines += [f"{_clock(marker['at'])} --> {_clock(end_s)}", vtt_text(title), ""]
        return "\n".join(lines)

    async def _match(self, match_id: str) -> tuple[Path, Manifest]:
        folder = await self._library.folder(match_id)
        return folder, await self._library.manifest(match_id)

    async def _change(
        self, folder: Path, apply: Callable[[list[Marker]], list[Marker]]
    ) -> list[Marker]:
        async with self._writing:
            return await to_thread.run_sync(partial(_rewrite, folder, apply), limiter=self._threads)


def _marker_state(marker: Marker, manifest: Manifest) -> MarkerState:
    return {
        "marker_id": marker.marker_id,
        "kind": marker.kind,
        "text": marker.text,
        "team": marker.team,
        "at": round((marker.at_unix_ns - manifest.origin_ns) / _NANO, 3),
        "at_unix_ms": manifest.unix_ns(marker.at_unix_ns) // 1_000_000,
        "created_unix_ms": marker.created_unix_ns // 1_000_000,
    }


def _read(folder: Path) -> list[Marker]:
    try:
        text = read_bytes(folder / FILE)
    except FileNotFoundError:
        return []
    try:
        found = _File.model_validate_json(text).markers
    except ValidationError as error:
        raise Failed(
            f"{FILE} of {folder.name} cannot be read; nothing was changed", code="markers_damaged"
        ) from error
    return sorted(found, key=lambda marker: marker.at_unix_ns)


def _rewrite(folder: Path, apply: Callable[[list[Marker]], list[Marker]]) -> list[Marker]:
    markers = apply(_read(folder))
    if len(markers) > MOST:
        raise Invalid(f"A match has at most {MOST} markers", code="too_many_markers")
    content = _File(markers=tuple(markers)).model_dump_json(indent=1).encode()
    write_whole(folder / FILE, content)
    return markers


def _clock(seconds: float) -> str:
    whole = max(0, round(seconds * 1000))
    hours, rest = divmod(whole, 3_600_000)
    minutes, rest = divmod(rest, 60_000)
    return f"{hours:02d}:{minutes:02d}:{rest // 1000:02d}.{rest % 1000:03d}"
