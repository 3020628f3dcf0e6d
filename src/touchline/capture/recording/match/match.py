"""In-memory state of the running match: footage, losses and omissions of each camera.

Updated by the workers' events, it answers status and health without any I/O, and the match's
manifest is created from it.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from touchline.capture.cameras.cameras import Camera
from touchline.capture.library import matchclock
from touchline.capture.library.manifest.manifest import (
    CameraFacts,
    Gap,
    Interruption,
    Manifest,
    MatchClock,
    Part,
    SegmentRecord,
    by_camera_and_start,
)
from touchline.capture.library.manifest.rescan import SEGMENTS_FOLDER
from touchline.capture.library.stretches import Stretch
from touchline.capture.library.verification.answers import IntegrityRecord
from touchline.capture.recording.health.soundness import MatchPhase
from touchline.capture.recording.match.track import Track
from touchline.core.wallclock import Reading, Trust

_LOST_STATES = {"stalled", "retrying", "error"}


@dataclass(frozen=True)
class MatchIdentity:
    """Identity of a match: its id, its number in the library, and where its files are.

    `mount_point` is that of the recordings' disk; it is empty on the system's disk.
    """

    match_id: str
    folder: Path
    number: int | None = None
    mount_point: str = ""


class Match:
    """Match being recorded."""

    def __init__(
        self,
        identity: MatchIdentity,
        cameras: Iterable[Camera],
        *,
        part: Part,
        process_after_recording: bool = False,
        before: Manifest | None = None,
        earlier: Manifest | None = None,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """Create the match; `before` is resumed, `earlier` is over and followed by this recording.

        `part` lies after all that was recorded before.
        """
        self.match_id = identity.match_id
        self.folder = identity.folder
        self.number = identity.number
        self.mount_point = identity.mount_point
        self.phase: MatchPhase = "starting"
        self.segments_dir_exists = True
        """Whether the workers' folder existed at the last check."""
        self._monotonic_ns = monotonic_ns
        self.process_after_recording = process_after_recording
        self.interruptions: list[Interruption] = []
        self.ended_unix_ns: int | None = None
        self.integrity: IntegrityRecord | None = None
        self.came_from = before or earlier
        """Manifest from before this recording changed it."""
        self.protected = self.came_from.protected if self.came_from else False
        self._first_clock = self.came_from.clock if self.came_from else None
        self._resumed = before is not None
        self._origin_ns = part.start_ns
        self._parts_before: tuple[Part, ...] = ()
        if self.came_from is not None:
            if self.came_from.clock is not None:
                self._origin_ns = self.came_from.origin_ns
            self._parts_before = matchclock.parts_before(self.came_from, over=earlier is not None)
        self.part = part
        """Part that is recorded now, without a restart of the machine."""
        self._earlier_segments: dict[str, SegmentRecord] = {}
        self._earlier_gaps: list[Gap] = []
        self.tracks = {camera.id: _new_track(camera, part, earlier) for camera in cameras}
        if before is not None:
            self._continue_from(before)
        if earlier is not None:
            self._follow(earlier)

    def _continue_from(self, before: Manifest) -> None:
        """Take over what was recorded so far: segments, gaps and interruptions."""
        self.interruptions = list(before.interruptions)
        self.process_after_recording |= before.process_after_recording
        for track in self.tracks.values():
            name = track.camera.name
            track.take_earlier(
                [segment for segment in before.segments if segment.camera == name],
                [gap for gap in before.gaps if gap.camera == name],
                [Stretch(*each) for each in (*before.pauses, *before.waits(name))],
            )
        ours = {t.camera.name for t in self.tracks.values()}
        self._earlier_segments = {s.name: s for s in before.segments if s.camera not in ours}

    def _follow(self, earlier: Manifest) -> None:
        """Start after an earlier recording, which stays unchanged."""
        self.interruptions = list(earlier.interruptions)
        self._earlier_segments = {s.name: s for s in earlier.segments}
        self._earlier_gaps = [g for g in earlier.gaps if g.to_unix_ns is not None]

    def begin(self) -> None:
        """Mark the match as recording, after a successful start."""
        self.phase = "recording"

    def begin_stop(self) -> None:
        """Mark the recording as being stopped."""
        self.phase = "stopping"

    def end(self, at_ns: int) -> None:
        """Set the instant of the stop, in monotonic time.

        Open gaps are closed by `close_gaps`.
        """
        self.ended_unix_ns = self.at_ns(at_ns)

    def close_gaps(self) -> None:
        """Close the gaps that last until the stop."""
        if self.ended_unix_ns is not None:
            for track in self.tracks.values():
                track.end_gap(self.ended_unix_ns)

    def take_verdict(self, integrity: IntegrityRecord) -> None:
        """Store the result of the verification at a stop."""
        self.integrity = integrity

    def note_folder(self, *, exists: bool) -> bool:
        """Record whether the workers' folder exists, and return whether that has changed."""
        news = exists != self.segments_dir_exists
        self.segments_dir_exists = exists
        return news

    def note_mended(self, segment: SegmentRecord) -> None:
        """Add a file that was finished afterwards.

        A file of an earlier take stays with that take.
        """
        if segment.name in self._earlier_segments:
            self._earlier_segments[segment.name] = segment
            return
        for track in self.tracks.values():
            if track.camera.name == segment.camera:
                track.take_mended(segment)

    @property
    def resumed(self) -> bool:
        """Whether this resumes an interrupted match."""
        return self._resumed

    @property
    def start_unix_ns(self) -> int:
        """Start of this part on the match clock."""
        return self.part.start_ns

    @property
    def start_monotonic_ns(self) -> int:
        """Start of this part in monotonic time of the machine's boot."""
        return self.part.start_monotonic_ns

    @property
    def boot_id(self) -> str:
        """Id of the boot in which this part is recorded."""
        return self.part.boot_id

    def now_ns(self) -> int:
        """Return the present on the match clock."""
        return self.at_ns(self._monotonic_ns())

    def at_ns(self, monotonic_ns: int) -> int:
        """Convert monotonic time of this boot to the match clock."""
        return monotonic_ns + self.part.match_minus_monotonic_ns

    def adopt_clock(self, *, start_monotonic_ns: int, match_minus_monotonic_ns: int) -> None:
        """Adopt the clock of workers that record already, without an interruption."""
        earlier = self._parts_before[-1:]
        known = earlier[0] if earlier else None
        if known is not None and (known.boot_id, known.match_minus_monotonic_ns) == (
            self.part.boot_id,
            match_minus_monotonic_ns,
        ):
            self.part, self._parts_before = known, self._parts_before[:-1]
            return
        update = {
            "start_ns": start_monotonic_ns + match_minus_monotonic_ns,
            "start_monotonic_ns": start_monotonic_ns,
            "pause_known": True,
        }
        self.part = self.part.model_copy(update=update)

    def follow_clock(self, now: Reading, trust: Trust, *, slept_ns: int) -> bool:
        """Correct the dates after the wall clock was set, and return whether they changed.

        Order, seconds and lengths do not change: they are on the match clock.
        """
        found = matchclock.corrected(self.part, now, trust, slept_ns=slept_ns)
        if found is None:
            return False
        self.part = found
        return True

    @property
    def started_unix_ns(self) -> int:
        """Start date of the match, with the latest clock correction."""
        return self._origin_ns + matchclock.correction_ns(self._parts)

    @property
    def _parts(self) -> tuple[Part, ...]:
        firsts = {t.camera.name: t.first_ns for t in self.tracks.values() if t.first_ns is not None}
        update = {
            "ended_ns": self.ended_unix_ns,
            "first_ns": {**self.part.first_ns, **firsts},
        }
        return (*self._parts_before, self.part.model_copy(update=update))

    @property
    def under_way(self) -> bool:
        """Whether the match is shown as being recorded.

        A resumed match is, even before its cameras are back.
        """
        return self.phase != "starting" or self.resumed

    @property
    def segments_folder(self) -> Path:
        """Folder that the workers write to."""
        return self.folder / SEGMENTS_FOLDER

    @property
    def duration_s(self) -> float:
        """Duration of the recording up to the order to stop.

        If an ended match is recorded again, it counts from the new start.
        """
        end_ns = self.now_ns() if self.ended_unix_ns is None else self.ended_unix_ns
        return max(0.0, (end_ns - self.judged_from_ns) / 1e9)

    @property
    def part_age_s(self) -> float:
        """Time since this part began to be recorded.

        A match that was resumed begins a new part.
        """
        end_ns = self.now_ns() if self.ended_unix_ns is None else self.ended_unix_ns
        return max(0.0, (end_ns - self.part.start_ns) / 1e9)

    @property
    def judged_from_ns(self) -> int:
        """Start of the period in which footage is expected.

        An earlier recording was judged at its own stop.
        """
        return self._origin_ns if self._resumed else self.part.start_ns

    def manifest(self, state: Literal["recording", "finished", "interrupted"]) -> Manifest:
        """Return the manifest with everything known, for the match's folder."""
        clock = self._first_clock or MatchClock(
            start_unix_ns=self.start_unix_ns,
            start_monotonic_ns=self.start_monotonic_ns,
            boot_id=self.boot_id,
        )
        parts = self._parts
        correction_ns = matchclock.correction_ns(parts)
        manifest = Manifest(
            match_id=self.match_id,
            number=self.number,
            state=state,
            clock=clock.model_copy(
                update={
                    "start_unix_ns": self._origin_ns,
                    "unix_correction_ns": correction_ns,
                }
            ),
            parts=parts,
            ended_unix_ns=self.ended_unix_ns,
            cameras={t.camera.name: CameraFacts(**t.camera.facts()) for t in self.tracks.values()},
            gaps=(*self._earlier_gaps, *(g for t in self.tracks.values() for g in t.all_gaps())),
            interruptions=tuple(self.interruptions),
            integrity=self.integrity,
            process_after_recording=self.process_after_recording,
            protected=self.protected,
        )
        for segment in self._earlier_segments.values():
            manifest = manifest.with_segment(segment)
        segments = [s for t in self.tracks.values() for s in t.segments.values()]
        return manifest.model_copy(
            update={
                "segments": tuple(sorted([*manifest.segments, *segments], key=by_camera_and_start))
            }
        )

    def take_status(self, track: Track, status: Mapping[str, Any] | None) -> None:
        """Store the worker's latest report on its recording."""
        if status is None or status.get("match_id") != self.match_id:
            return
        track.begin_recording()
        if status.get("segment") is not None:
            track.note_segment(status["segment"], "grown")

    def uptime_s(self, track: Track) -> float:
        """Return the time since a camera's part in the match began."""
        return max(0.0, self._monotonic_ns() / 1e9 - track.since_s)

    def lost_reason(self, camera: Camera) -> str | None:
        """Return why the camera delivers nothing at the moment; None when it does."""
        if not camera.link.connected:
            return camera.last_error or "the worker exited"
        if camera.status.get("state") in _LOST_STATES:
            return str(camera.status.get("last_error") or "the camera delivers no frames")
        return None


def _new_track(camera: Camera, part: Part, earlier: Manifest | None) -> Track:
    """Create a camera's track.

    Its file numbers continue after those of an earlier recording.
    """
    own = [s.index for s in earlier.segments if s.camera == camera.name] if earlier else []
    return Track(
        camera,
        part.start_monotonic_ns / 1e9,
        next_index=max(own, default=-1) + 1,
        attempts_before=int(camera.status.get("attempts") or 0),
        lost_before=dict(camera.status.get("dropped") or {}),
        unknown_pause_before_ns=None if part.pause_known else part.start_ns,
    )
