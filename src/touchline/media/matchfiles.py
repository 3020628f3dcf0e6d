"""The files of one camera of a match: which can be used, since when they film, and why not.

Segments of ours say themselves when they were captured. Those of earlier systems have the start of
the recording in their names and follow each other without a gap.
"""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import NamedTuple

from touchline.foreign.files import status_of
from touchline.media.mp4 import ordinary, scan
from touchline.media.mp4.walk import NotSegment

VIDEO_SUFFIXES = frozenset({".mkv", ".mp4", ".avi", ".mov"})

_CAMERA = re.compile(r"cam\d+")
_LABEL = re.compile(r"(?<!\d)(\d{8}_\d{6})(?!\d)")
_NUMBERS = re.compile(r"\d+")


class Read(NamedTuple):
    """A file's index; `ours` says that its capture times are in it."""

    indexed: scan.Indexed
    ours: bool


class Usable(NamedTuple):
    """A file that can be played and processed, with its capture times."""

    path: Path
    indexed: scan.Indexed
    ours: bool


class Files(NamedTuple):
    """A camera's usable files in the order of capture, and why others are not, by name."""

    usable: tuple[Usable, ...]
    refused: Mapping[str, str]

    @property
    def reason(self) -> str:
        """Why files are refused, as one text; empty where none is."""
        return "; ".join(self.refused.values())


def read(path: Path) -> Read:
    """Index a video file of ours or of another system. Blocks.

    Raises OSError, and `ordinarymp4.Unreadable` with the reason where it cannot be used.
    """
    try:
        return Read(scan.index(path), ours=True)
    except NotSegment:
        return Read(ordinary.index(path), ours=False)


def is_of(name: str, camera: str) -> bool:
    """Whether a file name is that of a video of this camera."""
    found = _CAMERA.search(name)
    return (
        found is not None
        and found[0] == camera
        and Path(name).suffix in VIDEO_SUFFIXES
        and not name.startswith(".")
    )


def usable(paths: Sequence[Path], reader: Callable[[Path], Read] = read) -> Files:
    """Sort out the files of one camera. Blocks."""
    found: list[Usable] = []
    earlier: list[tuple[Path, scan.Indexed]] = []
    refused: dict[str, str] = {}
    for path in paths:
        try:
            index, ours = reader(path)
        except ordinary.Unreadable as error:
            refused[path.name] = str(error)
            continue
        except OSError as error:
            refused[path.name] = f"{path.name} cannot be read: {error.strerror or error}"
            continue
        if not index.scan.fragments:
            refused[path.name] = f"{path.name} holds no whole fragment"
        elif ours:
            found.append(Usable(path, index, ours=True))
        else:
            earlier.append((path, index))
    starts = starts_ns({p.name: i.scan.duration_ns for p, i in earlier}, _changed_ns(earlier))
    found += [Usable(p, ordinary.at(i, starts[p.name]), ours=False) for p, i in earlier]
    found.sort(key=lambda each: (each.indexed.scan.start_unix_ns or 0, each.path.name))
    return Files(tuple(found), refused)


def starts_ns(durations_ns: Mapping[str, int], changed_ns: Mapping[str, int]) -> dict[str, int]:
    """When each file of another system begins (Unix), by its name; the files are one camera's.

    Those with one time in their names were written one after the other from that (local) time on.
    A file without a time ended when it was last changed.
    """
    starts: dict[str, int] = {}
    until_ns: dict[str, int] = {}
    for name in sorted(durations_ns, key=_in_order):
        label_ns = _label_ns(name)
        if label_ns is None:
            starts[name] = changed_ns[name] - durations_ns[name]
            continue
        label = _LABEL.findall(name)[0]
        starts[name] = until_ns.get(label, label_ns)
        until_ns[label] = starts[name] + durations_ns[name]
    return starts


def _in_order(name: str) -> tuple[list[int], str]:
    return [int(number) for number in _NUMBERS.findall(name)], name


def _label_ns(name: str) -> int | None:
    found = _LABEL.search(name)
    if found is None:
        return None
    try:
        return int(time.mktime(time.strptime(found[1], "%Y%m%d_%H%M%S"))) * 1_000_000_000
    except (ValueError, OverflowError):
        return None


def _changed_ns(files: Sequence[tuple[Path, scan.Indexed]]) -> dict[str, int]:
    changed: dict[str, int] = {}
    for path, index in files:
        try:
            changed[path.name] = status_of(path).st_mtime_ns
        except OSError:  # it has gone meanwhile; whoever reads it will notice
            changed[path.name] = index.scan.duration_ns
    return changed
