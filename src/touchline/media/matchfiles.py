"""Video files of one camera of a match: usable ones with their start, others with a reason.

Segments of touchline contain their capture times. Files of earlier systems have the start of the
recording and a running number in their names and follow each other without a gap; for one that is
missing or unusable, a gap is left.
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

_NANO = 1_000_000_000
_MOST_REASONS = 8
_MOST_DIGITS = 6
_MOST_MISSING = 100
"""With larger gaps, the numbers in the names do not count files."""
_LONGEST_FILE_NS = 3600 * _NANO
"""A longer gap computed from file times is not believed: the files were copied."""
_CLOSED_WITHIN_NS = 5 * _NANO
"""Maximum time between a file's last frame and its modification."""


class Read(NamedTuple):
    """Index of a file; `ours` says that it contains capture times."""

    indexed: scan.Indexed
    ours: bool


class Usable(NamedTuple):
    """A file that can be played and processed, with its capture times."""

    path: Path
    indexed: scan.Indexed
    ours: bool


class Files(NamedTuple):
    """Usable files of a camera in order of capture, and reasons for refusing others, by name."""

    usable: tuple[Usable, ...]
    refused: Mapping[str, str]

    @property
    def reason(self) -> str:
        """Reasons for refusing files, as one text; empty if there are none."""
        return as_text(tuple(self.refused.values()))


def as_text(reasons: Sequence[str]) -> str:
    """Join reasons into one text of bounded length."""
    more = len(reasons) - _MOST_REASONS
    return "; ".join((*reasons[:_MOST_REASONS], *([f"and {more} files more"] if more > 0 else [])))


def read(path: Path) -> Read:
    """Index a video file of touchline or of another system. Blocks.

    Raises OSError, and `ordinary.Unreadable` with the reason if it is unusable.
    """
    try:
        return Read(scan.index(path), ours=True)
    except NotSegment:
        return Read(ordinary.index(path), ours=False)


def is_of(name: str, camera: str) -> bool:
    """Return whether a file name is that of a video of this camera."""
    found = _CAMERA.search(name)
    return (
        found is not None
        and found[0] == camera
        and Path(name).suffix in VIDEO_SUFFIXES
        and not name.startswith(".")
    )


def usable(paths: Sequence[Path], reader: Callable[[Path], Read] = read) -> Files:
    """Return the usable files of one camera, and the reasons for refusing others. Blocks."""
    found: list[Usable] = []
    earlier: list[tuple[Path, scan.Indexed]] = []
    refused: dict[str, str] = {}
    unreadable: list[str] = []
    for path in paths:
        try:
            index, ours = reader(path)
        except ordinary.Unreadable as error:
            refused[path.name] = str(error)
            unreadable.append(path.name)
            continue
        except OSError as error:
            refused[path.name] = f"{path.name} cannot be read: {error.strerror or error}"
            unreadable.append(path.name)
            continue
        if not index.scan.fragments:
            refused[path.name] = f"{path.name} has no complete fragment"
        elif ours:
            found.append(Usable(path, index, ours=True))
        else:
            earlier.append((path, index))
    durations_ns: dict[str, int | None] = dict.fromkeys(unreadable)
    durations_ns |= {path.name: index.scan.duration_ns for path, index in earlier}
    starts = starts_ns(durations_ns, _read_change_ns(earlier))
    found += [Usable(p, ordinary.at(i, starts[p.name]), ours=False) for p, i in earlier]
    found.sort(key=lambda each: (each.indexed.scan.start_unix_ns or 0, each.path.name))
    return Files(tuple(found), refused)


def starts_ns(
    durations_ns: Mapping[str, int | None], changed_ns: Mapping[str, int]
) -> dict[str, int]:
    """Return the start time (Unix) of one camera's files of another system, by name.

    Files with the same time in their names were written one after another from that (local) time
    on. A duration of None marks a file that is unusable; a missing number marks a file that no
    longer exists. A file without a time in its name ended when it was last modified.
    """
    starts: dict[str, int] = {}
    recordings: dict[str, list[str]] = {}
    for name in sorted(durations_ns, key=_sort_key):
        duration_ns = durations_ns[name]
        if _label_ns(name) is not None:
            recordings.setdefault(_LABEL.findall(name)[0], []).append(name)
        elif duration_ns is not None:
            starts[name] = changed_ns[name] - duration_ns
    for names in recordings.values():
        starts |= _recording_starts(names, durations_ns, changed_ns)
    return starts


class _Before(NamedTuple):
    """End of the files before a file of a recording, and when the last of them was modified."""

    until_ns: int
    number: int | None
    changed_ns: int | None


def _recording_starts(
    names: Sequence[str], durations_ns: Mapping[str, int | None], changed_ns: Mapping[str, int]
) -> dict[str, int]:
    """Return the start of each usable file of one recording."""
    starts: dict[str, int] = {}
    # Before the first file only existing files count: some systems number from 1.
    longest_ns = max((durations_ns[name] or 0 for name in names), default=0)
    before = _Before(_label_ns(names[0]) or 0, None, None)
    unusable = 0
    for name in names:
        duration_ns, number = durations_ns[name], _number(name)
        if duration_ns is None:
            unusable += 1
            continue
        missing = _missing(before, number, unusable)
        gap_ns = _gap_ns(
            missing,
            usual_ns=missing * longest_ns if before.number is not None or unusable else 0,
            file_times_ns=changed_ns[name]
            - duration_ns
            - (before.until_ns if before.changed_ns is None else before.changed_ns),
        )
        starts[name] = before.until_ns + gap_ns
        before = _Before(starts[name] + duration_ns, number, changed_ns[name])
        unusable = 0
    return starts


def _missing(before: _Before, number: int | None, unusable: int) -> int:
    """Return the number of files missing between a file and the usable one before it."""
    if number is None:
        return unusable
    if before.changed_ns is not None and before.number is None:
        return unusable
    left_out = number if before.number is None else number - before.number - 1
    return max(left_out if left_out <= _MOST_MISSING else 0, unusable)


def _gap_ns(missing: int, *, usual_ns: int, file_times_ns: int) -> int:
    """Estimate the duration of the missing files.

    `usual_ns` is what as many files of this recording last, `file_times_ns` what modification times
    show. Copied files have the time of the copy, which is meaningless.
    """
    believed = missing > 0 and 0 <= file_times_ns <= missing * _LONGEST_FILE_NS
    if not believed or abs(file_times_ns - usual_ns) <= _CLOSED_WITHIN_NS:
        return usual_ns
    return file_times_ns


def _number(name: str) -> int | None:
    """Return the number of a file in its recording, which follows the time in its name."""
    label = _LABEL.search(name)
    rest = _CAMERA.sub("", Path(name).stem[label.end() :]) if label else ""
    found = _NUMBERS.search(rest)
    return int(found[0]) if found and len(found[0]) <= _MOST_DIGITS else None


def _sort_key(name: str) -> tuple[list[int], str]:
    return [int(number) for number in _NUMBERS.findall(name)], name


def _label_ns(name: str) -> int | None:
    found = _LABEL.search(name)
    if found is None:
        return None
    try:
        return int(time.mktime(time.strptime(found[1], "%Y%m%d_%H%M%S"))) * _NANO
    except (ValueError, OverflowError):
        return None


def _read_change_ns(files: Sequence[tuple[Path, scan.Indexed]]) -> dict[str, int]:
    changed: dict[str, int] = {}
    for path, index in files:
        try:
            changed[path.name] = status_of(path).st_mtime_ns
        except OSError:  # it has been removed since; reading it will report that
            changed[path.name] = index.scan.duration_ns
    return changed
