"""Data model of a match's manifest.

The folder is the database. The manifest holds what the segment files alone cannot tell (the reason
of a gap, interruptions, verification results); all the rest can be read back from the segments with
`rescan`, so that a lost manifest costs a scan and never footage.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from touchline.capture.library.manifest.segmentname import parse_segment_name
from touchline.core.wallclock import Trust

FORMAT_VERSION = 1


EARLIER_NS = 60_000_000_000
"""Allowed nanoseconds of footage before the match's start.

A copied source begins with its newest keyframe, seconds before the match's start.
"""

State = Literal["recording", "finished", "interrupted"]


class _Record(BaseModel):
    # Unknown keys are dropped: they can only come from manual edits or older drafts, because a
    # newer format version is refused.
    model_config = ConfigDict(frozen=True, extra="ignore")


class MatchClock(_Record):
    """Clock of a match: the same instant as Unix time and as monotonic time of one boot.

    All times of the match are on it. It never changes, so order and seconds are stable; such a time
    plus `unix_correction_ns` is the date according to the latest clock correction.
    """

    start_unix_ns: int
    start_monotonic_ns: int | None = None
    boot_id: str | None = None
    unix_correction_ns: int = 0


class Part(_Record):
    """Part of a match recorded without a restart: monotonic time mapped to the match clock.

    `unix_minus_monotonic_ns` and `trust` are the latest knowledge of the wall clock. `ended_ns` is
    the time of the requested stop; `pause_known` says whether the length of the pause before this
    part is known. `first_ns` has the first frame of each camera (`cam0`) that its start waited for.
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
        """Offset added to monotonic time of this part's boot to get time on the match clock."""
        return self.start_ns - self.start_monotonic_ns

    @property
    def unix_minus_match_ns(self) -> int:
        """Offset added to match clock time to get Unix time by this part's wall clock."""
        return self.unix_minus_monotonic_ns - self.match_minus_monotonic_ns


class CameraFacts(_Record):
    """Configuration of one recorded camera at the start of the match."""

    kind: str
    name: str
    width: int = 0
    height: int = 0
    transcoded: bool = False


class SegmentRecord(_Record):
    """Segment file in `segments/`.

    `verified` is None until every checksum of it was compared.
    """

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
    """Stretch of the match without footage of a camera.

    `to_unix_ns` is None while it lasts. `length_known` is false if the machine was off and its
    clock is not trusted. `kind` is a `wire.GapKind`; None in manifests of earlier versions.
    """

    camera: str
    from_unix_ns: int
    to_unix_ns: int | None
    reason: str
    length_known: bool = True
    kind: str | None = None


class Interruption(_Record):
    """Unintended stop of the whole recording (power, crash, disk), and whether it was resumed."""

    at_unix_ns: int
    reason: str
    resumed: bool


class Manifest(_Record):
    """Immutable state of a match; a new state is a new manifest (`with_segment`, `model_copy`).

    Cameras are named as in file names: `cam0`, `cam1`, …
    """

    format_version: int = FORMAT_VERSION
    match_id: str
    number: int | None = None
    """Number of the match in this library, from 1; None for matches of version 0.1.0."""
    state: State
    clock: MatchClock | None = None
    parts: tuple[Part, ...] = ()
    ended_unix_ns: int | None = None
    cameras: dict[str, CameraFacts] = Field(default_factory=dict)
    segments: tuple[SegmentRecord, ...] = ()
    gaps: tuple[Gap, ...] = ()
    interruptions: tuple[Interruption, ...] = ()
    integrity: Mapping[str, Any] | None = None
    """Record of the last verification, as the version that wrote it has it."""
    process_after_recording: bool = False
    protected: bool = False

    @property
    def origin_ns(self) -> int:
        """Second 0 of the match, on its clock.

        Version 0.1.0 moved the clock's start when a match was started again; earlier footage still
        belongs to the match.
        """
        if self.clock is None:
            return 0
        start_ns = self.clock.start_unix_ns
        starts = [s.start_unix_ns for s in self.segments if s.start_unix_ns is not None]
        first_ns = min(starts, default=start_ns)
        return first_ns if not self.parts and start_ns - first_ns > EARLIER_NS else start_ns

    def unix_ns(self, at_ns: int) -> int:
        """Return the date of an instant on the match clock, with the latest clock correction."""
        return at_ns + (self.clock.unix_correction_ns if self.clock else 0)

    def at_unix_ns(self, unix_ns: int) -> int:
        """Return the instant on the match clock that has this date."""
        return unix_ns - (self.clock.unix_correction_ns if self.clock else 0)

    @property
    def pauses(self) -> tuple[tuple[int, int], ...]:
        """Stretches between parts in which no recording was intended."""
        return tuple(
            (part.ended_ns, following.start_ns)
            for part, following in zip(self.parts, self.parts[1:], strict=False)
            if part.ended_ns is not None and following.start_ns > part.ended_ns
        )

    def waits(self, camera: str) -> tuple[tuple[int, int], ...]:
        """Return the stretches in which the start of a part waited for this camera."""
        return tuple(
            (part.start_ns, first_ns)
            for part in self.parts
            if (first_ns := part.first_ns.get(camera, 0)) > part.start_ns
        )

    def segment(self, name: str) -> SegmentRecord | None:
        """Return the segment with that file name."""
        return next((segment for segment in self.segments if segment.name == name), None)

    def with_segment(self, segment: SegmentRecord) -> Manifest:
        """Return the manifest with this segment added, or replacing the one of the same name."""
        kept = [other for other in self.segments if other.name != segment.name]
        ordered = sorted([*kept, segment], key=by_camera_and_start)
        return self.model_copy(update={"segments": tuple(ordered)})


def by_camera_and_start(segment: SegmentRecord) -> tuple[str, bool, int, int, tuple[str, int], str]:
    """Return a sort key by camera and capture time.

    Names, which contain the wall clock, come last. Files of unknown capture time follow those of
    the match.
    """
    start_ns = segment.start_unix_ns
    order = parse_segment_name(segment.name).order
    if start_ns is None:
        return (segment.camera, True, 0, 0, order, segment.name)
    return (segment.camera, False, start_ns, segment.index, order, segment.name)
