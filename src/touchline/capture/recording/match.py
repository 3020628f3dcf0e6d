"""The running match in memory: what each camera has recorded, lost and left out so far.

Fed with the workers' events, it answers status and health without asking anybody, and it is what
the match's manifest is made of.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

import anyio

from touchline.capture.cameras.cameras import Camera
from touchline.capture.library import matchclock
from touchline.capture.library.manifest.manifest import (
    CameraFacts,
    Clock,
    Gap,
    Interruption,
    Manifest,
    Part,
    Segment,
    by_camera_and_start,
)
from touchline.capture.library.manifest.rescan import SEGMENTS_FOLDER
from touchline.capture.library.stretches import Stretch, subtract, union
from touchline.capture.logs.diskstates import meaning_of
from touchline.capture.recording.health.soundness import (
    CameraObservation,
    MatchPhase,
    RecordingObservation,
)
from touchline.core.wallclock import Reading, Trust

_LEAST_GAP_NS = 200_000_000
_LEAST_LOSS_NS = 20_000_000
"""Where a worker or camera is known to have been away, less than a frame is no gap."""
_LOST_STATES = {"stalled", "retrying", "error"}


@dataclass
class Track:
    """One camera's part in the match."""

    camera: Camera
    since_s: float
    """When its part in the match began (monotonic)."""
    segments: dict[str, Segment] = field(default_factory=dict)
    gaps: list[Gap] = field(default_factory=list)
    next_index: int = 0
    started: bool = False
    recording: bool = False
    lost_reason: str | None = None
    lost_at_unix_ns: int | None = None
    respawns: int = 0
    attempts_before: int = 0
    disk: str = "ok"
    disk_error: str | None = None
    writer_error: str | None = None
    """Why footage cannot be written, while that is so."""
    dropped_before: int = 0
    told_gaps: list[Gap] = field(default_factory=list)
    """Those of `gaps` whose reason the worker knew."""
    lost_before: Mapping[str, int] = field(default_factory=dict)
    probe: Mapping[str, Any] | None = None
    changed_at: float = field(default_factory=time.monotonic)
    opened_at: float = field(default_factory=time.monotonic)
    first_ns: int | None = None
    """The first frame that the start waited for (match clock); where it is None a gap is listed."""
    mending: anyio.Lock = field(default_factory=anyio.Lock)
    """Held while files that a worker left open are finished."""
    told_before: int = 0
    """How often the worker had told its state when the newest file was begun."""
    unknown_pause_before_ns: int | None = None
    """Where footage goes on after a pause whose length nobody knows (match clock)."""

    @property
    def newest(self) -> Segment | None:
        """The segment being written, or the last one that was."""
        return next(reversed(self.segments.values())) if self.segments else None

    @property
    def end_unix_ns(self) -> int | None:
        """Where the footage ends so far."""
        ends = [s.end_unix_ns for s in self.segments.values() if s.end_unix_ns is not None]
        return max(ends, default=None)

    @property
    def attempts(self) -> int:
        """How often the camera had to be brought back in this match, by its worker or with one."""
        attempts = int(self.camera.status.get("attempts") or 0)
        return self.respawns + max(0, attempts - self.attempts_before)

    @property
    def lost(self) -> bool:
        """Whether nothing is being recorded although it should."""
        return self.lost_reason is not None

    def note_segment(self, info: Mapping[str, Any], change: str) -> None:
        """A segment was opened, has grown, was closed or was found empty and removed."""
        name = str(info["name"])
        if change == "removed":
            self.segments.pop(name, None)
            return
        known = self.segments.get(name)
        segment = Segment(
            name=name,
            camera=self.camera.name,
            index=int(info["index"]),
            start_unix_ns=int(info["start_unix_ns"]),
            end_unix_ns=int(info["end_unix_ns"]),
            frames=int(info["frames"]),
            fragments=int(info["fragments"]),
            size_bytes=int(info["size_bytes"]),
            finalized=bool(info["finalized"]),
            verified=known.verified if known else None,
        )
        now = time.monotonic()
        if known is None:
            self._close_gap(segment)
            self.opened_at = now
            self.told_before = self.camera.statuses
        if known is None or known.size_bytes != segment.size_bytes:
            self.changed_at = now
        self.segments[name] = segment
        self.next_index = max(self.next_index, segment.index + 1)

    def _close_gap(self, opened: Segment) -> None:
        end, start = self.end_unix_ns, opened.start_unix_ns
        if end is None:
            if self.lost_at_unix_ns is None:
                self.first_ns = start if self.first_ns is None else self.first_ns
            elif start is not None:  # the camera came late: the match began without it
                self._add_gap(self.lost_at_unix_ns, start)
        elif start is not None and start - end >= self._least_gap_ns():
            self._add_gap(end, start)
        self.started = True
        self.found_again()

    def _least_gap_ns(self) -> int:
        return _LEAST_GAP_NS if self.lost_at_unix_ns is None else _LEAST_LOSS_NS

    def note_gap(self, told: Mapping[str, Any]) -> None:
        """A gap that the worker lists, with the reason it knows; what was guessed gives way."""
        gap = Gap(
            camera=self.camera.name,
            from_unix_ns=int(told["from_unix_ns"]),
            to_unix_ns=int(told["to_unix_ns"]),
            reason=str(told["reason"]),
        )
        if gap in self.told_gaps:
            return
        self.told_gaps.append(gap)
        self.gaps = [
            rest
            for known in self.gaps
            for rest in ([known] if known in self.told_gaps else without(known, [gap]))
        ]
        self.gaps.append(gap)
        self.gaps.sort(key=lambda each: each.from_unix_ns)

    def _add_gap(self, from_ns: int, to_ns: int) -> None:
        """List a gap that no worker told of: it died, or the camera was not there yet."""
        reason = self.lost_reason or self.disk_error or "the camera was interrupted"
        unknown_ns = self.unknown_pause_before_ns
        gap = Gap(
            camera=self.camera.name,
            from_unix_ns=from_ns,
            to_unix_ns=to_ns,
            reason=reason,
            length_known=unknown_ns is None or not from_ns < unknown_ns <= to_ns,
        )
        self.gaps += without(gap, self.told_gaps)

    def lose(self, reason: str, at_unix_ns: int) -> bool:
        """Note that nothing comes any more; True where that is news."""
        news = self.lost_reason is None
        if news:
            self.lost_at_unix_ns = self.end_unix_ns or at_unix_ns
        self.lost_reason = reason
        return news

    def found_again(self) -> bool:
        """Note that footage is written again; True where that is news."""
        news = self.lost_reason is not None
        self.lost_reason, self.lost_at_unix_ns = None, None
        return news

    def end_gap(self, at_unix_ns: int) -> None:
        """The recording ended: a gap that lasts until now lasts no longer than that."""
        if self.lost_at_unix_ns is not None:
            # What a dead worker left may reach further than was known when it was lost.
            start = max(self.lost_at_unix_ns, self.end_unix_ns or 0)
            if start < at_unix_ns:
                self._add_gap(start, at_unix_ns)
            self.lost_at_unix_ns = None

    def all_gaps(self) -> Iterable[Gap]:
        """The gaps so far, and the one that lasts."""
        yield from self.gaps
        if self.lost_reason is not None and self.lost_at_unix_ns is not None:
            yield Gap(
                camera=self.camera.name,
                from_unix_ns=self.lost_at_unix_ns,
                to_unix_ns=None,
                reason=self.lost_reason,
            )


def without(gap: Gap, others: Iterable[Gap]) -> list[Gap]:
    """What is left of a gap where others are known, as gaps of the same reason. Pure."""
    if gap.to_unix_ns is None:
        return [gap]
    known = [
        Stretch(other.from_unix_ns, other.to_unix_ns)
        for other in others
        if other.to_unix_ns is not None and other.to_unix_ns > other.from_unix_ns
    ]
    whole = Stretch(gap.from_unix_ns, gap.to_unix_ns)
    return [
        gap.model_copy(update={"from_unix_ns": rest.start_ns, "to_unix_ns": rest.end_ns})
        for rest in subtract(whole, union(known))
        if rest == whole or rest.end_ns - rest.start_ns >= _LEAST_GAP_NS
    ]


class Match:
    """The match being recorded."""

    def __init__(
        self,
        match_id: str,
        folder: Path,
        cameras: Iterable[Camera],
        *,
        start_unix_ns: int,
        start_monotonic_ns: int,
        boot_id: str,
        number: int | None = None,
        unix_minus_monotonic_ns: int | None = None,
        trust: Trust = "plausible",
        pause_known: bool = True,
        process_after_recording: bool = False,
        before: Manifest | None = None,
        earlier: Manifest | None = None,
        monotonic_ns: Callable[[], int] = time.monotonic_ns,
    ) -> None:
        """`before` is gone on with; `earlier` is over, and this is recorded behind it.

        `start_unix_ns` is on the match clock: after all that was recorded before.
        `unix_minus_monotonic_ns` is what the wall clock says, where that is something else.
        """
        self.match_id = match_id
        self.folder = folder
        self.phase: MatchPhase = "starting"
        self.number = number
        self.segments_dir_exists = True
        """Whether the workers' folder was there when it was last looked for."""
        self._monotonic_ns = monotonic_ns
        self.mount_point = ""
        """Where the recordings' disk is mounted; empty on the system's."""
        self.process_after_recording = process_after_recording
        self.interruptions: list[Interruption] = []
        self.ended_unix_ns: int | None = None
        self.integrity: dict[str, Any] | None = None
        self.came_from = before or earlier
        """What the manifest said before this recording touched it."""
        self.protected = self.came_from.protected if self.came_from else False
        self._first_clock = self.came_from.clock if self.came_from else None
        self._resumed = before is not None
        dated = self.came_from is not None and self.came_from.clock is not None
        self._origin_ns = self.came_from.origin_ns if self.came_from and dated else start_unix_ns
        self._parts_before = (
            matchclock.parts_before(self.came_from, over=earlier is not None)
            if self.came_from
            else ()
        )
        if unix_minus_monotonic_ns is None:
            unix_minus_monotonic_ns = start_unix_ns - start_monotonic_ns
        self.part = Part(
            number=len(self._parts_before) + 1,
            boot_id=boot_id,
            start_ns=start_unix_ns,
            start_monotonic_ns=start_monotonic_ns,
            unix_minus_monotonic_ns=unix_minus_monotonic_ns,
            trust=trust,
            pause_known=pause_known,
        )
        """What is recorded now, without a restart of the machine."""
        self._earlier_segments: dict[str, Segment] = {}
        self._earlier_gaps: list[Gap] = []
        self.tracks = {c.id: Track(c, start_monotonic_ns / 1e9) for c in cameras}
        for track in self.tracks.values():
            track.attempts_before = int(track.camera.status.get("attempts") or 0)
            track.lost_before = dict(track.camera.status.get("dropped") or {})
            track.unknown_pause_before_ns = None if pause_known else start_unix_ns
        if before is not None:
            self._go_on_from(before)
        if earlier is not None:
            self.interruptions = list(earlier.interruptions)
            self._earlier_segments = {s.name: s for s in earlier.segments}
            self._earlier_gaps = [g for g in earlier.gaps if g.to_unix_ns is not None]
            for track in self.tracks.values():
                own = [s.index for s in earlier.segments if s.camera == track.camera.name]
                track.next_index = max(own, default=-1) + 1

    def _go_on_from(self, before: Manifest) -> None:
        """Keep what was recorded so far: segments, gaps and interruptions."""
        self.interruptions = list(before.interruptions)
        self.process_after_recording |= before.process_after_recording
        by_name = {t.camera.name: t for t in self.tracks.values()}
        for segment in before.segments:
            track = by_name.get(segment.camera)
            if track is None:
                self._earlier_segments[segment.name] = segment
                continue
            track.segments[segment.name] = segment
            track.next_index = max(track.next_index, segment.index + 1)
        for gap in before.gaps:
            track = by_name.get(gap.camera)
            if track is not None and gap.to_unix_ns is not None:
                track.gaps.append(gap)

    def note_mended(self, segment: Segment) -> None:
        """Take in a file that was finished afterwards; one of an earlier take stays with that."""
        if segment.name in self._earlier_segments:
            self._earlier_segments[segment.name] = segment
            return
        for track in self.tracks.values():
            if track.camera.name == segment.camera and segment.fragments:
                known = track.segments.get(segment.name)
                if known is None or not known.finalized:
                    track.segments[segment.name] = segment
                    track.next_index = max(track.next_index, segment.index + 1)

    @property
    def resumed(self) -> bool:
        """Whether this goes on with a match that was interrupted."""
        return self._resumed

    @property
    def start_unix_ns(self) -> int:
        """When this part began, on the match clock."""
        return self.part.start_ns

    @property
    def start_monotonic_ns(self) -> int:
        """When this part began, on the clock of the machine's boot."""
        return self.part.start_monotonic_ns

    @property
    def boot_id(self) -> str:
        """The boot in which this part is recorded."""
        return self.part.boot_id

    def now_ns(self) -> int:
        """The present on the match clock."""
        return self.at_ns(self._monotonic_ns())

    def at_ns(self, monotonic_ns: int) -> int:
        """A monotonic time of this boot on the match clock."""
        return monotonic_ns + self.part.match_minus_monotonic_ns

    def go_on_with(self, *, start_monotonic_ns: int, match_minus_monotonic_ns: int) -> None:
        """The workers record already, on this clock: it was never interrupted."""
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
        """Correct the dates where the wall clock was set; True where that is news.

        Nothing else moves: order, seconds and lengths are on the match clock.
        """
        found = matchclock.corrected(self.part, now, trust, slept_ns=slept_ns)
        if found is None:
            return False
        self.part = found
        return True

    @property
    def started_unix_ns(self) -> int:
        """The date at which the match began, as it is known by now."""
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
        """Whether it is shown as recorded: a resumed match is before its cameras are back."""
        return self.phase != "starting" or self.resumed

    @property
    def segments_folder(self) -> Path:
        """Where the workers write."""
        return self.folder / SEGMENTS_FOLDER

    @property
    def duration_s(self) -> float:
        """Since the match began to be recorded, up to the order to stop.

        Of one that was over and is recorded again, since then.
        """
        end_ns = self.now_ns() if self.ended_unix_ns is None else self.ended_unix_ns
        return max(0.0, (end_ns - self.judged_from_ns) / 1e9)

    @property
    def part_age_s(self) -> float:
        """Since this part began to be recorded: a match that was resumed is started anew."""
        end_ns = self.now_ns() if self.ended_unix_ns is None else self.ended_unix_ns
        return max(0.0, (end_ns - self.part.start_ns) / 1e9)

    @property
    def judged_from_ns(self) -> int:
        """Since when there should be footage: what was over before was judged at its own stop."""
        return self._origin_ns if self._resumed else self.part.start_ns

    def manifest(self, state: Literal["recording", "finished", "interrupted"]) -> Manifest:
        """Everything known, for the match's folder."""
        clock = self._first_clock or Clock(
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
        """The worker's newest word on its recording."""
        if status is None or status.get("match_id") != self.match_id:
            return
        track.recording = True
        if status.get("segment") is not None:
            track.note_segment(status["segment"], "grown")

    def lost_reason(self, camera: Camera) -> str | None:
        """Why the camera delivers nothing at the moment; None when it does."""
        if not camera.link.connected:
            return camera.last_error or "the worker is gone"
        if camera.status.get("state") in _LOST_STATES:
            return str(camera.status.get("last_error") or "the camera delivers nothing")
        return None

    # ------------------------------------------------------------------ telling

    def status(self, *, protection_s: float, require_all: bool) -> dict[str, Any]:
        """The recording's part of the status, all from memory (the guard is the recorder's)."""
        duration = self.duration_s
        return {
            "recording": True,
            "match_id": self.match_id,
            "duration": round(duration, 3),
            "phase": self.phase,
            "cameras": {t.camera.key: self._camera(t) for t in self.tracks.values()},
            "protected": duration < protection_s,
            "require_all_cameras": require_all,
            "degraded_cameras": {
                t.camera.key: reason
                for t in self.tracks.values()
                if (reason := degraded_reason(t)) is not None
            },
            "camera_recovery": {t.camera.key: _recovery(t) for t in self.tracks.values()},
            "interruptions": len(self.interruptions),
            "disk": self._disk(),
        }

    def _disk(self) -> dict[str, Any]:
        """The first of the disk's troubles, and what to do about it."""
        troubled = next((t for t in self.tracks.values() if t.disk != "ok"), None)
        if troubled is None:
            return {"state": "ok", "error": None, "what_to_do": None}
        return {
            "state": troubled.disk,
            "error": troubled.disk_error,
            "what_to_do": meaning_of(troubled.disk).to_do,
        }

    def _camera(self, track: Track) -> dict[str, Any]:
        camera = track.camera
        recording = camera.recording or {}
        dropped = _lost_since(track.lost_before, camera.status.get("dropped") or {})
        dropped["disk"] = track.dropped_before + int(recording.get("dropped_disk") or 0)
        if unwritable := int(recording.get("dropped_writer") or 0):
            dropped["writer"] = unwritable
        if undecodable := int(recording.get("dropped_undecodable") or 0):
            dropped["undecodable"] = undecodable
        age = camera.last_frame_age_s
        state = camera.state
        if self.phase == "stopping" and state == "running":
            state = "stopping"
        if track.writer_error is not None:
            state = "error"
        return {
            "state": state,
            "uptime": round(max(0.0, self._monotonic_ns() / 1e9 - track.since_s), 3),
            "fps": camera.status.get("fps", 0.0),
            "bitrate_bps": camera.status.get("bitrate_bps", 0),
            "frames": sum(s.frames for s in track.segments.values()),
            "dropped": dropped,
            "last_frame_age_s": None if age is None else round(age, 3),
            "segment": track.newest.name if track.newest else None,
            "segments": len(track.segments),
            "gaps": sum(1 for _ in track.all_gaps()),
            "transcoded": bool(camera.status.get("transcoded")),
            "disk": track.disk,
            "disk_error": track.disk_error,
            "backlog_bytes": int(recording.get("backlog_bytes") or 0),
            "sync_ms_max": recording.get("sync_ms_max", 0.0),
        }

    def observation(self) -> RecordingObservation:
        """What the health watch judges."""
        return RecordingObservation(
            match_id=self.match_id,
            age_s=self.part_age_s,
            cameras=tuple(self._observe(t) for t in self.tracks.values()),
            segments_dir_exists=self.segments_dir_exists,
            phase=self.phase,
        )

    @staticmethod
    def _observe(track: Track) -> CameraObservation:
        now = time.monotonic()
        camera, newest = track.camera, track.newest
        return CameraObservation(
            camera_id=camera.id,
            pipeline_present=camera.link.connected,
            pipeline_state=camera.state,
            footage=track.started,
            told_since=camera.statuses > track.told_before,
            segment_name=newest.name if newest else None,
            segment_index=newest.index if newest else 0,
            segment_size_bytes=newest.size_bytes if newest else 0,
            segment_age_s=now - track.changed_at,
            file_age_s=now - track.opened_at,
            failed_permanently=bool(camera.status.get("failed_permanently")),
            last_frame_age_s=camera.last_frame_age_s,
            stalled=camera.status.get("state") == "stalled",
            disk=track.disk,
            writer_error=track.writer_error,
            recovering=track.lost,
            recovery_attempts=track.attempts,
            last_error=track.lost_reason or track.writer_error or track.disk_error,
            probe=track.probe,
        )


def degraded_reason(track: Track) -> str | None:
    """Why this camera's footage is not what it should be at the moment."""
    if track.lost_reason is not None:
        return track.lost_reason
    if track.writer_error is not None:
        return f"footage cannot be written: {track.writer_error}"
    if track.disk != "ok":
        return f"disk {track.disk}: {track.disk_error}"
    return None


def _lost_since(before: Mapping[str, int], now: Mapping[str, int]) -> dict[str, int]:
    """Frames lost in this match, by place; a worker that was started anew counts from zero."""
    return {
        place: count - before.get(place, 0) if count >= before.get(place, 0) else count
        for place, count in now.items()
    }


def _recovery(track: Track) -> dict[str, Any]:
    status = track.camera.status
    return {
        "attempts": track.attempts,
        "recovering": track.lost,
        "failed_permanently": bool(status.get("failed_permanently")),
        "last_error": track.lost_reason,
        "last_recovery_ts": status.get("last_recovery_unix"),
    }
