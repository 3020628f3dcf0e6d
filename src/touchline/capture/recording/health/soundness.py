"""Assessment of a running match for the health report. Pure.

Each camera is judged by its own phase in the match, because one fact means different things in
each: an idle pipeline is a fault while a match is recorded and none before its first fragment or
after the order to stop, and what a worker reported before the first fragment is not relevant.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal

from touchline.capture.library.verification.answers import ProbeResult
from touchline.capture.logs.diskstates import DiskIssue, meaning_of
from touchline.media.storage.disk import OK

ZERO_BYTE_AFTER_S = 10.0
SMALL_BELOW_BYTES = 1 << 20
SMALL_AFTER_S = 30.0
NOT_GROWING_AFTER_S = 20.0
NO_SEGMENTS_AFTER_S = 10.0
CAMERA_NO_SEGMENTS_AFTER_S = 20.0

CameraIssue = Literal[
    "index_regressed",
    "no_frames",
    "no_segments",
    "not_growing",
    "pipeline_missing",
    "pipeline_state",
    "probe_failed",
    "recovering",
    "recovery_exhausted",
    "too_small",
    "writer_failed",
    "zero_bytes",
]
IssueKind = Literal[CameraIssue, DiskIssue, "segments_dir_missing"]
"""Subject of an issue, for programs.

The wording of its message may change at any time.
"""

MatchPhase = Literal["starting", "recording", "stopping"]
CameraPhase = Literal["starting", "written", "running", "stopping"]
"""Phase of a camera in the match.

`starting`: no fragment of it is on the disk yet. `written`: the newest fact is that a file was
begun; the worker's report on its camera is older. `running`: the worker has reported since.
`stopping`: the order to stop was given.
"""

_SOUND_STATES: Mapping[CameraPhase, frozenset[str] | None] = {
    "starting": frozenset({"idle", "starting", "running"}),
    "written": None,  # the known state is older than the footage
    "running": frozenset({"running"}),
    "stopping": frozenset({"idle", "starting", "running", "stopping"}),
}


@dataclass(frozen=True)
class CameraObservation:
    """Camera of the running match at one instant.

    `segment_age_s` counts from the last write to the newest segment, `file_age_s` from its opening.
    `probe` is the last ffprobe result of that segment, in the contract's form.
    """

    camera_id: int
    pipeline_present: bool
    pipeline_state: str
    footage: bool
    """Whether a fragment of it was written since the recording began or was resumed."""
    told_since: bool
    """Whether its worker has reported its state since its newest file was begun."""
    disk: str
    """One of the states of `worker.disk`."""
    disk_errno: int | None
    """Error number returned by the disk, if known."""
    writer_error: str | None
    """Reason why footage cannot currently be written, or None."""
    segment_name: str | None
    segment_index: int
    segment_size_bytes: int
    segment_age_s: float
    file_age_s: float
    failed_permanently: bool
    last_frame_age_s: float | None
    stalled: bool
    recovering: bool
    recovery_attempts: int
    last_error: str | None
    probe: ProbeResult | None

    @property
    def key(self) -> str:
        """Name of the camera in JSON."""
        return f"camera_{self.camera_id}"


@dataclass(frozen=True)
class RecordingObservation:
    """Running match at one instant.

    `age_s` counts from its start, or its last resumption.
    """

    match_id: str
    age_s: float
    cameras: tuple[CameraObservation, ...]
    segments_dir_exists: bool
    phase: MatchPhase


@dataclass(frozen=True)
class Growth:
    """Growth of a camera's newest segment over several observations.

    `still_s`: for how long it has not grown. `regressed_from`: the higher index before it, while
    that is to be reported. `probe`: ffprobe's result, if it is relevant.
    """

    still_s: float
    regressed_from: int | None
    probe: ProbeResult


@dataclass(frozen=True)
class Issue:
    """Single fault of a camera, or of the whole match if `camera` is None."""

    kind: IssueKind
    camera: str | None
    text: str


@dataclass(frozen=True)
class Verdict:
    """Assessment of the recording as a whole.

    `whole` is the fault of the match itself, which `message` describes; `of_cameras` has the issues
    of each camera.
    """

    healthy: bool
    message: str
    of_cameras: tuple[Issue, ...]
    whole: Issue | None = None

    @property
    def issues(self) -> tuple[str, ...]:
        """Messages of the cameras' issues."""
        return tuple(issue.text for issue in self.of_cameras)

    @property
    def problems(self) -> tuple[Issue, ...]:
        """All issues, the match's own first."""
        return self.of_cameras if self.whole is None else (self.whole, *self.of_cameras)


def camera_phase(match: MatchPhase, *, footage: bool, told_since: bool) -> CameraPhase:
    """Return a camera's phase from the state of the match and of the camera."""
    if match == "stopping":
        return "stopping"
    if not footage:
        return "starting"
    return "running" if told_since else "written"


def judge(
    recording: RecordingObservation, growth: Mapping[int, Growth], *, no_frames_after_s: float
) -> Verdict:
    """Assess a match that is being started, recorded or stopped.

    `growth` has an entry for each camera with a segment. A camera without a frame for
    `no_frames_after_s` is reported even if no stall was reported.
    """
    cameras = [
        _Judged(
            camera,
            camera_phase(recording.phase, footage=camera.footage, told_since=camera.told_since),
            growth.get(camera.camera_id),
            recording.age_s,
            no_frames_after_s,
        )
        for camera in recording.cameras
    ]
    if not recording.segments_dir_exists and recording.phase != "starting":
        issues = tuple(issue for each in cameras for issue in each.camera_faults())
        return _unsound("segments_dir_missing", "Segments directory does not exist", issues)
    if all(camera.segment_name is None for camera in recording.cameras):
        issues = tuple(issue for each in cameras for issue in each.camera_faults())
        if recording.age_s > NO_SEGMENTS_AFTER_S:
            return _unsound("no_segments", "No segments after 10 seconds", issues)
        if not issues:
            return Verdict(True, "Recording just started", ())
    else:
        issues = tuple(issue for each in cameras for issue in each.issues())
    said = ", ".join(issue.text for issue in issues)
    return Verdict(not issues, said or "Recording healthy", issues)


def _unsound(kind: IssueKind, message: str, of_cameras: tuple[Issue, ...]) -> Verdict:
    return Verdict(False, message, of_cameras, Issue(kind, None, message))


@dataclass(frozen=True)
class _Judged:
    """Camera with all facts that determine its assessment."""

    camera: CameraObservation
    phase: CameraPhase
    growth: Growth | None
    age_s: float
    no_frames_after_s: float

    def _issue(self, kind: IssueKind, text: str) -> Issue:
        return Issue(kind, self.camera.key, f"cam{self.camera.camera_id}: {text}")

    def issues(self) -> Iterator[Issue]:
        """Yield every fault of the camera, of its pipeline and of its newest file."""
        yield from self._pipeline_faults()
        if self.phase == "starting":
            if self.age_s > CAMERA_NO_SEGMENTS_AFTER_S:
                yield self._issue("no_segments", "No segment files after 20 seconds")
        elif self.growth is not None and self.phase != "stopping":
            yield from self._segment_faults(self.growth)
        yield from self.camera_faults()

    def camera_faults(self) -> Iterator[Issue]:
        """Yield the faults of the camera itself and of the disk it is recorded to."""
        camera = self.camera
        if camera.failed_permanently:
            yield self._issue("recovery_exhausted", "Recovery exhausted")
        elif camera.recovering:
            error = camera.last_error or "camera lost"
            text = f"Recovering (attempt {camera.recovery_attempts}): {error}"
            yield self._issue("recovering", text)
        if camera.writer_error is not None:
            text = f"Footage cannot be written: {camera.writer_error}"
            yield self._issue("writer_failed", text)
        if camera.disk != OK:
            meaning = meaning_of(camera.disk, camera.disk_errno)
            yield self._issue(meaning.kind, meaning.issue)
        yield from self._silence()

    def _pipeline_faults(self) -> Iterator[Issue]:
        camera, sound = self.camera, _SOUND_STATES[self.phase]
        if not camera.pipeline_present:
            # Workers are found or started while a match is resumed.
            if self.phase != "starting" or self.age_s > NO_SEGMENTS_AFTER_S:
                yield self._issue("pipeline_missing", "Pipeline missing")
            return
        if sound is None or camera.pipeline_state in sound:
            return
        if self.phase == "stopping" and camera.stalled:
            return  # frames are no longer expected
        delivers = camera.segment_age_s <= self.no_frames_after_s
        if self.phase == "running" and camera.pipeline_state == "starting" and delivers:
            return  # frames arrive a moment before the state changes
        yield self._issue("pipeline_state", f"Pipeline state {camera.pipeline_state}")

    def _segment_faults(self, growth: Growth) -> Iterator[Issue]:
        camera, size_bytes = self.camera, self.camera.segment_size_bytes
        if size_bytes == 0 and camera.file_age_s > ZERO_BYTE_AFTER_S:
            yield self._issue("zero_bytes", "Zero-byte file")
        # By the last write, not the opening: a small file that still grows has a low bitrate.
        if size_bytes < SMALL_BELOW_BYTES and camera.segment_age_s > SMALL_AFTER_S:
            yield self._issue("too_small", f"File too small ({size_bytes} bytes)")
        if growth.regressed_from is not None:
            change = f"{camera.segment_index} < {growth.regressed_from}"
            yield self._issue("index_regressed", f"Segment index regressed ({change})")
        if growth.still_s > NOT_GROWING_AFTER_S and camera.segment_age_s > NOT_GROWING_AFTER_S:
            yield self._issue("not_growing", f"Segment not growing (size={size_bytes})")
        if growth.probe["ok"] is False:
            text = f"Segment probe failed ({growth.probe['error']})"
            yield self._issue("probe_failed", text)

    def _silence(self) -> Iterator[Issue]:
        """Yield the issue of a camera that should deliver frames and does not."""
        camera, age_s = self.camera, self.camera.last_frame_age_s
        if self.phase == "stopping":
            return
        if self.phase == "starting":
            # Frames from before the match are not relevant.
            if camera.stalled:
                yield self._issue("no_frames", "No frames yet")
        elif self.phase == "written":
            if camera.segment_age_s > self.no_frames_after_s:
                yield self._issue("no_frames", f"No frames for {camera.segment_age_s:.1f} s")
        elif age_s is None:
            if camera.stalled:
                yield self._issue("no_frames", "No frames yet")
        elif camera.stalled or age_s > self.no_frames_after_s:
            yield self._issue("no_frames", f"No frames for {age_s:.1f} s")
