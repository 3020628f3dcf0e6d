"""Listing of all matches, read from their folders and cached while provably current.

An unchanged match costs two `stat` calls. Its entry is cached while the change times of its two
folders stay the same; writing to a file does not change them, so a match with recent files is read
each time. Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import json
import os
import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, NamedTuple, get_args
from urllib.parse import quote

from touchline.capture.library.answers import (
    DetailsField,
    ManifestFields,
    MatchEntry,
    MatchFile,
    Segment,
    Segments,
)
from touchline.capture.library.manifest import detailsfile
from touchline.capture.library.manifest.file import FILE_NAME
from touchline.capture.library.manifest.manifest import EARLIER_NS, State
from touchline.capture.library.manifest.rescan import SEGMENTS_FOLDER
from touchline.capture.library.manifest.segmentname import camera_of, parse_segment_name
from touchline.core.errors import TouchlineError
from touchline.foreign.files import read_bytes, regular_entries
from touchline.foreign.numbers import whole
from touchline.foreign.text import file_name
from touchline.media.matchfiles import VIDEO_SUFFIXES

_SINGLE_SUFFIXES = VIDEO_SUFFIXES | {".zip"}
_UNKNOWN = "unknown"

_FOLDER_SETTLED_S = 0.1
"""Age in seconds at which a folder's change time can be relied on.

Kernel time stamps move in steps of up to 10 ms: within one step a folder can change unnoticed.
"""

_FILE_SETTLED_S = 60.0
"""Age in seconds at which a file counts as complete.

A file changed more recently may still be growing (a copy, an encoder at work).
"""

_STEP_S = 0.5
"""Change of the clock in seconds that counts as a step.

For a while after a step, the clock does not show the age of files.
"""

_Signature = tuple[int, ...]


class _File(NamedTuple):
    name: str
    size_bytes: int
    mtime_s: float
    ctime_s: float


@dataclass(frozen=True)
class _Snapshot:
    signature: _Signature
    encoded: bytes | None  # `"match_id":{…}`, or None for a folder without footage


class Inventory:
    """Cache of the matches below a root; `now` is the clock that files are stamped with.

    Files stamped while that clock was wrong are judged by how long they have been seen unchanged.
    """

    def __init__(
        self,
        root: Path,
        *,
        now: Callable[[], float] = time.time,
        monotonic_s: Callable[[], float] = time.monotonic,
    ) -> None:
        self._root = os.fspath(root)
        self._now = now
        self._monotonic_s = monotonic_s
        self._unix_minus_monotonic_s = now() - monotonic_s()
        self._set_at_s: float | None = None
        self._same_since: dict[str, tuple[int, float]] = {}
        self._kept: dict[str, _Snapshot] = {}
        self._body = b""
        self._parts: list[bytes] = []

    def listing(self, is_running: Callable[[str], bool]) -> bytes:
        """Return every match with footage as encoded JSON, sorted by id, current as of the call.

        The same bytes object is returned until something changes. Not to be called twice at once.
        """
        kept: dict[str, _Snapshot] = {}
        parts: list[bytes] = []
        for name in match_folders(self._root):
            try:
                settled, snapshot = self._read_match(name, is_running)
            except FileNotFoundError:
                continue  # deleted during the scan
            if settled:
                kept[name] = snapshot
            if snapshot.encoded is not None:
                parts.append(snapshot.encoded)
        self._kept = kept
        if len(self._same_since) > 2 * len(parts) + 100:  # most of them were deleted since
            self._same_since.clear()
        if not self._body or parts != self._parts:
            self._parts = parts
            self._body = b'{"recordings":{' + b",".join(parts) + b"}}"
        return self._body

    def _read_match(self, name: str, is_running: Callable[[str], bool]) -> tuple[bool, _Snapshot]:
        """Return the match as it is now, and whether that holds until its folders change."""
        folder = f"{self._root}/{name}"
        before = self._now()
        signature, changed_s = _signature(folder)
        running = is_running(name)
        kept = self._kept.get(name)
        if kept is not None and kept.signature == signature and not running:
            return True, kept
        segments, singles = _files(f"{folder}/{SEGMENTS_FOLDER}"), _files(folder)
        entry = _match_entry(name, segments, singles)
        if entry is not None:
            entry = {**entry, **manifest_fields(f"{folder}/{FILE_NAME}"), **_details(folder)}
        encoded = None if entry is None else _json(file_name(name)) + b":" + _json(entry)
        youngest_s = max((file.ctime_s for file in (*segments, *singles)), default=0.0)
        if max(youngest_s, changed_s) > before or self._was_set_lately(before):
            same = self._is_long_the_same(name, hash((signature, *segments, *singles)))
            return same and not running, _Snapshot(signature, encoded)
        settled = (
            not running
            and before - changed_s > _FOLDER_SETTLED_S
            and before - youngest_s > _FILE_SETTLED_S
        )
        return settled, _Snapshot(signature, encoded)

    def _was_set_lately(self, now_s: float) -> bool:
        """Return whether the clock was set since files that may still grow were stamped."""
        monotonic_s = self._monotonic_s()
        offset_s = now_s - monotonic_s
        if abs(offset_s - self._unix_minus_monotonic_s) > _STEP_S:
            self._unix_minus_monotonic_s, self._set_at_s = offset_s, monotonic_s
        return self._set_at_s is not None and monotonic_s - self._set_at_s < _FILE_SETTLED_S

    def _is_long_the_same(self, name: str, seen: int) -> bool:
        """Return whether a match has been seen unchanged for as long as a file may take to grow."""
        now_s = self._monotonic_s()
        before, since_s = self._same_since.get(name, (seen, now_s))
        if before != seen:
            since_s = now_s
        self._same_since[name] = (seen, since_s)
        return now_s - since_s > _FILE_SETTLED_S


def cameras_of(folder: Path) -> list[str]:
    """List the cameras that the segments in a folder belong to, in order of number."""
    files = [file for file in _files(os.fspath(folder)) if _suffix(file.name) in VIDEO_SUFFIXES]
    found = {camera_of(file.name) for file in files}
    return in_order(found)


def in_order(cameras: Iterable[str]) -> list[str]:
    """Sort camera names by number, without names that are not a camera's."""
    return sorted({name for name in cameras if name != _UNKNOWN}, key=_camera_order)


def segments_of(match_id: str, folder: Path) -> Segments:
    """Return the segments in a folder as the contract lists them.

    They are numbered from 1 for each camera.
    """
    by_camera: defaultdict[str, list[_File]] = defaultdict(list)
    files = [file for file in _files(os.fspath(folder)) if _suffix(file.name) in VIDEO_SUFFIXES]
    for file in files:
        by_camera[camera_of(file.name)].append(file)
    starts = _starts(folder.parent / FILE_NAME)
    lists: dict[str, list[Segment]] = {"cam0": [], "cam1": [], "other": []}
    for camera in sorted(by_camera, key=_camera_order):
        for number, file in enumerate(_sort_by_capture(by_camera[camera], starts), 1):
            lists.get(camera, lists["other"]).append(
                {
                    "name": file_name(file.name),
                    "path": _url(match_id, "segments", file.name),
                    "size_mb": mebibytes(file.size_bytes),
                    "created_at": int(file.mtime_s),
                    "segment_number": number,
                    "camera": camera,
                }
            )
    return {
        "match_id": match_id,
        "type": "segmented" if len(files) > 1 else "single",
        "cam0": lists["cam0"],
        "cam1": lists["cam1"],
        "other": lists["other"],
        "total_size_mb": mebibytes(sum(file.size_bytes for file in files)),
        "segments_count": len(files),
    }


def _sort_by_capture(files: Iterable[_File], starts: Mapping[str, int]) -> list[_File]:
    """Sort files in the order of capture.

    Files that the manifest does not know follow, by name.
    """

    def order(file: _File) -> tuple[bool, int, tuple[str, int, str]]:
        start_ns = starts.get(file.name)
        return (start_ns is None, start_ns or 0, _file_order(file))

    return sorted(files, key=order)


def _starts(path: Path) -> dict[str, int]:
    """Return the start of each segment on the match clock, according to the manifest."""
    try:
        segments = json.loads(read_bytes(path))["segments"]
        return {
            str(each["name"]): int(each["start_unix_ns"])
            for each in segments
            if each["start_unix_ns"] is not None
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # foreign or damaged: only the names are available


def mebibytes(size_bytes: int) -> float:
    """Return a size in MiB with two decimals, as the contract requires."""
    return round(size_bytes / (1 << 20), 2)


def _match_entry(
    match_id: str, in_segments: Iterable[_File], in_folder: Iterable[_File]
) -> MatchEntry | None:
    cameras: defaultdict[str, list[_File]] = defaultdict(list)
    for file in in_segments:
        if _suffix(file.name) in VIDEO_SUFFIXES:
            cameras[camera_of(file.name)].append(file)
    singles = [file for file in in_folder if _suffix(file.name) in _SINGLE_SUFFIXES]
    if not cameras and not singles:
        return None
    segments = [file for group in cameras.values() for file in group]
    files: list[MatchFile] = [
        {
            "file": camera,
            "type": "segmented",
            "segment_count": len(cameras[camera]),
            "size_mb": mebibytes(sum(file.size_bytes for file in cameras[camera])),
            "created_at": _find_created_at(cameras[camera]),
        }
        for camera in sorted(cameras, key=_camera_order)
    ]
    files += [
        {
            "file": file_name(file.name),
            "size_mb": mebibytes(file.size_bytes),
            "created_at": int(file.mtime_s),
            "type": "single",
            "path": _url(match_id, "files", file.name),
        }
        for file in sorted(singles)
    ]
    return {
        "files": files,
        "total_size_mb": mebibytes(sum(file.size_bytes for file in (*segments, *singles))),
        "camera_count": len(cameras),
        "segments_count": len(segments),
        "created_at": _find_created_at(segments) if segments else None,
        "poster": _url(match_id, "poster.jpg", below="matches") if segments else None,
    }


def manifest_fields(path: str) -> ManifestFields:
    """Return the manifest fields shown in a list of matches; empty without a manifest."""
    try:
        manifest = json.loads(read_bytes(path))
        segments = [s for s in manifest["segments"] if s["start_unix_ns"] and s["end_unix_ns"]]
        clock = manifest["clock"] or {}
        first_ns = min((s["start_unix_ns"] for s in segments), default=None)
        start_ns = clock.get("start_unix_ns", first_ns)
        if start_ns is not None and first_ns is not None and not manifest.get("parts"):
            start_ns = first_ns if start_ns - first_ns > EARLIER_NS else start_ns
        correction_ns = clock.get("unix_correction_ns", 0)
        end_ns = max((s["end_unix_ns"] for s in segments), default=None)
        verified = [s["verified"] for s in manifest["segments"]]
        return {
            "state": _state(manifest["state"]),
            "protected": bool(manifest["protected"]),
            "verified": bool(verified) and all(verified),
            "interruptions": len(manifest["interruptions"]),
            "gaps": len(manifest["gaps"]),
            "started_at": None if start_ns is None else (start_ns + correction_ns) / 1e9,
            "duration_s": None
            if start_ns is None or end_ns is None
            else round((end_ns - start_ns) / 1e9, 3),
        }
    except (OSError, ValueError, KeyError, TypeError):
        return {}  # foreign, damaged or of another version: reported when the match is opened


def _state(word: object) -> State:
    """Return the state that a manifest names. Raises ValueError for any other word."""
    for state in get_args(State):
        if word == state:
            found: State = state
            return found
    raise ValueError(f"{word!r} is not a state of a match")


def _details(folder: str) -> DetailsField:
    """Return the details of a match; empty if none were entered."""
    try:
        found = detailsfile.load(Path(folder))
    except (OSError, TouchlineError):
        return {}  # reported when the match is opened
    return {} if found is None or found.is_empty else {"details": found.to_json()}


def _find_created_at(files: Iterable[_File]) -> int:
    return min(int(file.mtime_s) for file in files)


def _camera_order(camera: str) -> tuple[bool, int, str]:
    number = camera[3:]
    return (camera == _UNKNOWN, whole(number) or 0, camera)


def _file_order(file: _File) -> tuple[str, int, str]:
    label, index = parse_segment_name(file.name).order
    return (label, index, file.name)


def _suffix(name: str) -> str:
    dot = name.rfind(".")  # a Path for each of 10,000 files would cost 30 ms
    return name[dot:] if dot > 0 else ""


def match_folders(root: str) -> list[str]:
    """Name the folders below a root that can be matches."""
    try:
        with os.scandir(root) as entries:
            names = [
                entry.name
                for entry in entries
                if not entry.name.startswith(".") and entry.is_dir(follow_symlinks=False)
            ]
    except FileNotFoundError:
        return []
    return sorted(names)


def _files(folder: str) -> list[_File]:
    """Return the regular files in a folder that are footage; empty without such a folder."""
    found: list[_File] = []
    for entry in regular_entries(folder):
        if _suffix(entry.name) not in _SINGLE_SUFFIXES:
            continue
        try:
            s = entry.stat(follow_symlinks=False)
        except FileNotFoundError:
            continue  # removed during the scan
        found.append(_File(entry.name, s.st_size, s.st_mtime, s.st_ctime))
    return found


def _signature(folder: str) -> tuple[_Signature, float]:
    """Return a signature of the match's folders and the time of their last change.

    The signature changes with any entry of the folders; the time is in Unix seconds.
    """
    match = os.lstat(folder)
    try:
        segments = os.lstat(f"{folder}/{SEGMENTS_FOLDER}")
    except FileNotFoundError:
        return (match.st_ino, match.st_ctime_ns), match.st_ctime
    # The change time cannot be set back, while `cp -a` sets back the modification time.
    signature = (match.st_ino, match.st_ctime_ns, segments.st_ino, segments.st_ctime_ns)
    return signature, max(match.st_ctime, segments.st_ctime)


def _url(match_id: str, *path: str, below: str = "recordings") -> str:
    parts = (quote(os.fsencode(part), safe="") for part in (match_id, *path))
    return f"/api/v1/{below}/{'/'.join(parts)}"


def _json(value: Any) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()
