"""What a match folder says about itself: `match.json`, replaced whole or not at all.

The folder is the database. The manifest holds what the segment files alone cannot tell (why there
is a gap, what was interrupted, what was verified); all the rest can be read back from the segments
with `rescan`, so that a lost manifest costs a scan and never footage.

The functions that touch the disk block: call them in a thread.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from touchline.capture.library.wholefile import write_whole
from touchline.core.errors import Invalid, Refused
from touchline.core.wallclock import Trust
from touchline.foreign.files import read_bytes, regular_entries, status_of
from touchline.foreign.text import file_name
from touchline.media import matchfiles
from touchline.media.matchfiles import VIDEO_SUFFIXES
from touchline.media.mp4 import scan as mp4scan

FORMAT_VERSION = 1
FILE_NAME = "match.json"
DAMAGED_NAME = "match.json.damaged"
SEGMENTS_FOLDER = "segments"

MATCH_ID_MAX_CHARACTERS = 128
_FILE_NAME_MAX_BYTES = 255
_PUNCTUATION = frozenset("._- ")

_LEAST_GAP_NS = 200_000_000
"""A pause between two segments that counts as a gap when it is read back from the files alone."""

EARLIER_NS = 60_000_000_000
"""A copied source begins with its newest keyframe, seconds before the match's start."""

State = Literal["recording", "finished", "interrupted"]


def valid_match_id(text: str) -> str:
    """The text itself, if it can name a match and its folder; raises Invalid if not."""
    if not 1 <= len(text) <= MATCH_ID_MAX_CHARACTERS:
        raise Invalid(
            f"match_id has {len(text)} characters; it needs 1 to {MATCH_ID_MAX_CHARACTERS}",
            code="match_id_length",
        )
    if text.strip() != text:
        raise Invalid(
            "match_id must not begin or end with a space, nor be nothing else",
            code="match_id_space",
        )
    if text.startswith("."):
        raise Invalid("match_id must not begin with a dot", code="match_id_leading_dot")
    for character in text:
        # L letters, N digits and numbers, M the marks without which many scripts have no words.
        if character not in _PUNCTUATION and unicodedata.category(character)[0] not in "LNM":
            raise Invalid(
                f"match_id must not contain {character!a}; "
                "letters, digits, spaces and . _ - are allowed",
                code="match_id_character",
            )
    if len(text.encode()) > _FILE_NAME_MAX_BYTES:
        raise Invalid(
            f"match_id takes more than {_FILE_NAME_MAX_BYTES} bytes as a folder's name",
            code="match_id_length",
        )
    return text


@dataclass(frozen=True)
class SegmentName:
    """What a video file's name says: `cam0_20260211_220241_00.mp4` and the like of older systems.

    `camera` is `unknown` and `index` None where the name does not tell; `label` is the start time
    as written, or empty.
    """

    camera: str
    label: str
    index: int | None

    @property
    def order(self) -> tuple[str, int]:
        """Sorts the segments of one camera by start time, then by index."""
        return (self.label, -1 if self.index is None else self.index)


_CAMERA = re.compile(r"cam\d{1,9}", re.ASCII)
_LABEL = re.compile(r"(?<!\d)(\d{8}_\d{6})(?!\d)", re.ASCII)
_INDEX = re.compile(r"(?:[_-](\d{1,4})|(\d{1,18}))$", re.ASCII)


def camera_of(file_name: str) -> str:
    """The camera in a file name: `cam0`, or `unknown`."""
    camera = _CAMERA.search(file_name)
    return camera[0] if camera else "unknown"


def parse_segment_name(file_name: str) -> SegmentName:
    """Read camera, start time and index from a file name; never fails, says `unknown` instead."""
    stem = Path(file_name).stem
    camera = _CAMERA.search(stem)
    label = _LABEL.search(stem)
    rest = stem if label is None else stem[label.end() :]
    if camera is not None and rest is stem:
        rest = stem[camera.end() :]  # the digits of "cam0" alone are not an index
    number = _INDEX.search(rest)
    return SegmentName(
        camera=camera[0] if camera else "unknown",
        label=label[1] if label else "",
        index=int(number[1] or number[2]) if number else None,
    )


class _Record(BaseModel):
    # Unknown keys are dropped: they can only come from a hand or from an older draft, because a
    # newer format version is refused before.
    model_config = ConfigDict(frozen=True, extra="ignore")


class Clock(_Record):
    """The one clock of a match: the same instant as Unix and as monotonic time of one boot.

    All times of the match are on it. It never changes, so that order and seconds stay what they
    are; `unix_correction_ns`, added to such a time, gives the date as it is known by now.
    """

    start_unix_ns: int
    start_monotonic_ns: int | None = None
    boot_id: str | None = None
    unix_correction_ns: int = 0


class Part(_Record):
    """What was recorded without a restart: monotonic time of one boot, laid on the match clock.

    `unix_minus_monotonic_ns` and `trust` say what is known of the wall clock by now. `ended_ns` is
    the ordered end; `pause_known` whether the pause before this part has the length it is given.
    `first_ns` has the first frame of each camera (`cam0`) that its start waited for.
    """

    number: int
    boot_id: str
    start_ns: int
    start_monotonic_ns: int
    unix_minus_monotonic_ns: int
    trust: Trust
    pause_known: bool
    ended_ns: int | None = None
    first_ns: dict[str, int] = {}

    @property
    def match_minus_monotonic_ns(self) -> int:
        """Added to monotonic time of this part's boot it gives time on the match clock."""
        return self.start_ns - self.start_monotonic_ns

    @property
    def unix_minus_match_ns(self) -> int:
        """Added to time on the match clock it gives Unix time, as this part's wall clock has it."""
        return self.unix_minus_monotonic_ns - self.match_minus_monotonic_ns


class CameraFacts(_Record):
    """What was recorded from one camera, as it was when the match began."""

    kind: str
    name: str
    width: int = 0
    height: int = 0
    transcoded: bool = False


class Segment(_Record):
    """One file in `segments/`. `verified` is None until every checksum of it was compared."""

    name: str
    camera: str
    index: int
    start_unix_ns: int | None = None
    end_unix_ns: int | None = None
    frames: int = 0
    fragments: int = 0
    size_bytes: int = 0
    finalized: bool = False
    verified: bool | None = None


class Gap(_Record):
    """A stretch of the match that a camera did not film; `to_unix_ns` is None while it lasts.

    Where the machine was off and its clock cannot be believed, `length_known` is false.
    """

    camera: str
    from_unix_ns: int
    to_unix_ns: int | None
    reason: str
    length_known: bool = True


class Interruption(_Record):
    """The whole recording stopped against our will (power, crash, disk), and whether it went on."""

    at_unix_ns: int
    reason: str
    resumed: bool


class Manifest(_Record):
    """A match. It never changes: a new state is a new manifest (`with_segment`, `model_copy`).

    Cameras are named as in file names: `cam0`, `cam1`, …
    """

    format_version: int = FORMAT_VERSION
    match_id: str
    number: int | None = None
    """Which match of the library this is, counted from 1; None for matches of version 0.1.0."""
    state: State
    clock: Clock | None = None
    parts: tuple[Part, ...] = ()
    ended_unix_ns: int | None = None
    cameras: dict[str, CameraFacts] = Field(default_factory=dict)
    segments: tuple[Segment, ...] = ()
    gaps: tuple[Gap, ...] = ()
    interruptions: tuple[Interruption, ...] = ()
    integrity: dict[str, Any] | None = None
    process_after_recording: bool = False
    protected: bool = False

    @property
    def origin_ns(self) -> int:
        """Second 0 of the match, on its clock.

        Version 0.1.0 moved the clock's start when a match was started again; what was filmed before
        is part of the match all the same.
        """
        if self.clock is None:
            return 0
        start_ns = self.clock.start_unix_ns
        starts = [s.start_unix_ns for s in self.segments if s.start_unix_ns is not None]
        first_ns = min(starts, default=start_ns)
        return first_ns if not self.parts and start_ns - first_ns > EARLIER_NS else start_ns

    def unix_ns(self, at_ns: int) -> int:
        """The date of an instant on the match clock, as it is known by now."""
        return at_ns + (self.clock.unix_correction_ns if self.clock else 0)

    def at_unix_ns(self, unix_ns: int) -> int:
        """The instant on the match clock that has this date."""
        return unix_ns - (self.clock.unix_correction_ns if self.clock else 0)

    @property
    def pauses(self) -> tuple[tuple[int, int], ...]:
        """Stretches between parts in which nothing was to be recorded: stopped, and begun again."""
        return tuple(
            (part.ended_ns, following.start_ns)
            for part, following in zip(self.parts, self.parts[1:], strict=False)
            if part.ended_ns is not None and following.start_ns > part.ended_ns
        )

    def waits(self, camera: str) -> tuple[tuple[int, int], ...]:
        """Stretches in which the start of a part waited for this camera's first frame."""
        return tuple(
            (part.start_ns, first_ns)
            for part in self.parts
            if (first_ns := part.first_ns.get(camera, 0)) > part.start_ns
        )

    def segment(self, name: str) -> Segment | None:
        """The segment of that file name."""
        return next((segment for segment in self.segments if segment.name == name), None)

    def with_segment(self, segment: Segment) -> Manifest:
        """The manifest with this segment in the place of the one of the same name, or added."""
        kept = [other for other in self.segments if other.name != segment.name]
        ordered = sorted([*kept, segment], key=by_camera_and_start)
        return self.model_copy(update={"segments": tuple(ordered)})


def by_camera_and_start(segment: Segment) -> tuple[str, bool, int, int, tuple[str, int], str]:
    """Sorts segments by camera and capture; names, which have the wall clock in them, come last.

    Files whose capture nobody knows follow those of the match.
    """
    start_ns = segment.start_unix_ns
    order = parse_segment_name(segment.name).order
    if start_ns is None:
        return (segment.camera, True, 0, 0, order, segment.name)
    return (segment.camera, False, start_ns, segment.index, order, segment.name)


def load(folder: Path) -> Manifest | None:
    """The match's manifest; None where the folder has none (a foreign match, or a lost manifest).

    One that cannot be understood is put aside as `match.json.damaged`; what the segments tell
    takes its place. One from a newer touchline is left alone: Refused, code `manifest_too_new`.
    """
    path = folder / FILE_NAME
    try:
        text = read_bytes(path)
    except FileNotFoundError:
        return None
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError:
        _refuse_newer(path, text)
        path.replace(folder / DAMAGED_NAME)
        manifest = rescan(folder).model_copy(update={"number": _number_in(text)})
        save(folder, manifest)
        return manifest
    if manifest.format_version > FORMAT_VERSION:
        raise _too_new(path, manifest.format_version)
    return manifest


def _number_in(damaged: bytes) -> int | None:
    """The number of a match whose manifest cannot be understood, where it can still be read."""
    found = re.search(rb'"number": ?([1-9][0-9]{0,8})[,\s]', damaged)
    return None if found is None else int(found[1])


class _Version(BaseModel):
    format_version: int


def _refuse_newer(path: Path, text: bytes) -> None:
    try:
        version = _Version.model_validate_json(text).format_version
    except ValidationError:
        return
    if version > FORMAT_VERSION:
        raise _too_new(path, version)


def _too_new(path: Path, version: int) -> Refused:
    message = f"{path} has format version {version}; this touchline reads up to {FORMAT_VERSION}"
    return Refused(message, code="manifest_too_new", format_version=version)


def save(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest on disk: after a power cut there is the old one or this one, whole."""
    write_whole(folder / FILE_NAME, manifest.model_dump_json(indent=1).encode())


def rescan(folder: Path) -> Manifest:
    """The manifest as the segment files alone tell it: times and counts, but no reasons.

    Times come from the capture clock that is written into our segments, and from the names of
    earlier systems' files. Files that cannot be used are listed with name and size. Nothing is
    written.
    """
    segments: list[Segment] = []
    cameras: dict[str, CameraFacts] = {}
    whole = True
    earlier: dict[str, list[Path]] = {}
    for path in segment_files(folder):
        segment, scan = _read_segment(path)
        segments.append(segment)
        if scan is not None:
            whole = whole and scan.finalized
            facts = CameraFacts(
                kind="unknown", name=segment.camera, width=scan.width, height=scan.height
            )
            cameras.setdefault(segment.camera, facts)
        else:
            earlier.setdefault(segment.camera, []).append(path)
    segments = [*_timed(segments, earlier)]
    segments.sort(key=by_camera_and_start)
    starts = [s.start_unix_ns for s in segments if s.start_unix_ns is not None]
    ends = [s.end_unix_ns for s in segments if s.end_unix_ns is not None]
    return Manifest(
        match_id=file_name(folder.name),
        state="finished" if whole else "interrupted",
        clock=Clock(start_unix_ns=min(starts)) if starts else None,
        ended_unix_ns=max(ends, default=None),
        cameras=cameras,
        segments=tuple(segments),
        gaps=tuple(_gaps_between(segments)),
    )


def segment_files(folder: Path) -> list[Path]:
    """List the video files of a match's `segments/`, sorted by name; links are not followed.

    A name that a manifest cannot hold, because it is not UTF-8 or has control characters, is left
    out: no program of ours makes one.
    """
    segments = folder / SEGMENTS_FOLDER
    names = [
        entry.name
        for entry in regular_entries(segments)
        if Path(entry.name).suffix in VIDEO_SUFFIXES and file_name(entry.name) == entry.name
    ]
    return [segments / name for name in sorted(names)]


def _timed(segments: Iterable[Segment], earlier: Mapping[str, Sequence[Path]]) -> Iterator[Segment]:
    """Say of files of earlier systems when they film, where they can be read."""
    found = {
        each.path.name: each.indexed.scan
        for paths in earlier.values()
        for each in matchfiles.usable(paths).usable
    }
    for segment in segments:
        scan = found.get(segment.name)
        if scan is None or scan.start_unix_ns is None:
            yield segment
            continue
        end_ns = scan.start_unix_ns + scan.duration_ns
        update = {"start_unix_ns": scan.start_unix_ns, "end_unix_ns": end_ns, "frames": scan.frames}
        yield segment.model_copy(update=update)


def _read_segment(path: Path) -> tuple[Segment, mp4scan.SegmentScan | None]:
    name = parse_segment_name(path.name)
    try:
        scan = mp4scan.scan(path, checksums=False)
    except mp4scan.NotSegment:
        size_bytes = status_of(path).st_size
        foreign = Segment(
            name=path.name, camera=name.camera, index=name.index or 0, size_bytes=size_bytes
        )
        return foreign, None
    return segment_of(scan, path.name), scan


def segment_of(
    scan: mp4scan.SegmentScan, file_name: str, *, verified: bool | None = None
) -> Segment:
    """The manifest's line for a segment that was scanned."""
    name = parse_segment_name(file_name)
    start = scan.start_unix_ns
    return Segment(
        name=file_name,
        camera=name.camera,
        index=name.index or 0,
        start_unix_ns=start,
        end_unix_ns=None if start is None else start + scan.duration_ns,
        frames=scan.frames,
        fragments=len(scan.fragments),
        size_bytes=scan.size_bytes,
        finalized=scan.finalized,
        verified=verified,
    )


def _gaps_between(segments: list[Segment]) -> list[Gap]:
    """Pauses from the end of a camera's footage so far to the start of its next segment."""
    gaps: list[Gap] = []
    timed = [
        (s.camera, s.start_unix_ns, s.end_unix_ns)
        for s in segments
        if s.start_unix_ns is not None and s.end_unix_ns is not None
    ]
    last_end: dict[str, int] = {}
    for camera, start, end in sorted(timed):
        before = last_end.get(camera)
        if before is not None and start - before >= _LEAST_GAP_NS:
            gap = Gap(camera=camera, from_unix_ns=before, to_unix_ns=start, reason="unknown")
            gaps.append(gap)
        last_end[camera] = max(end, before or end)
    return gaps
