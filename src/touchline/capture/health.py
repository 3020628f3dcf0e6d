"""Recording health: what is known of each camera in memory, told as the contract's report.

Nothing here reads a file or waits. `HealthWatch` remembers since when a segment has not grown, so
that polling often neither hides a fault nor makes one up.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from typing import Any

from touchline.capture.diskstates import meaning_of
from touchline.worker.disk import OK

ZERO_BYTE_AFTER_S = 10.0
SMALL_BELOW_BYTES = 1 << 20
SMALL_AFTER_S = 30.0
NOT_GROWING_AFTER_S = 20.0
NO_SEGMENTS_AFTER_S = 10.0
CAMERA_NO_SEGMENTS_AFTER_S = 20.0
PROBE_AFTER_S = 10.0
PROBE_FROM_BYTES = 4 << 20
REGRESSION_SHOWN_S = 10.0
"""Long enough for every poller to see it, too short for it alone to trip the overload guard."""

UNPROBED: Mapping[str, Any] = {"checked": False, "ok": None, "error": None}


@dataclass(frozen=True)
class CameraObservation:
    """One camera of the running match at one instant.

    `segment_age_s` counts from the last write to the newest segment, `file_age_s` from its opening.
    `probe` is the last ffprobe result of that segment, in the shape the contract shows.
    """

    camera_id: int
    pipeline_present: bool
    pipeline_state: str
    disk: str
    """One of the states of `worker.disk`."""
    writer_error: str | None
    """Why footage cannot be written, while that is so."""
    segment_name: str | None = None
    segment_index: int = 0
    segment_size_bytes: int = 0
    segment_age_s: float = 0.0
    file_age_s: float = 0.0
    failed_permanently: bool = False
    last_frame_age_s: float | None = None
    stalled: bool = False
    recovering: bool = False
    recovery_attempts: int = 0
    last_error: str | None = None
    probe: Mapping[str, Any] | None = None

    @property
    def key(self) -> str:
        """The camera's name in JSON."""
        return f"camera_{self.camera_id}"


@dataclass(frozen=True)
class RecordingObservation:
    """The running match at one instant. While it is `stopping`, stopping cameras are no fault."""

    match_id: str
    age_s: float
    cameras: tuple[CameraObservation, ...]
    segments_dir_exists: bool
    stopping: bool


@dataclass(frozen=True)
class _Mark:
    """What the watch remembers of a camera's newest segment, and since when it has not grown."""

    name: str
    index: int
    size_bytes: int
    steady_since_s: float
    regressed_from: int | None = None
    opened_s: float = 0.0


class HealthWatch:
    """Tells how sound the running recording is. `now_s` is any steady clock, the same in each call.

    A camera without a frame for `no_frames_after_s` is named even where nobody has called it
    stalled, because a worker that hangs cannot say so itself.
    """

    def __init__(self, *, no_frames_after_s: float = 3.0) -> None:
        self._no_frames_after_s = no_frames_after_s
        self._match_id: str | None = None
        self._marks: dict[int, _Mark] = {}

    def report(self, now_s: float, recording: RecordingObservation | None) -> dict[str, Any]:
        """The body of `GET /api/v1/recording-health`; None stands for no active recording."""
        self._look(now_s, recording)
        if recording is None:
            return {"healthy": True, "message": "No active recording"}
        healthy, message, issues = self._judge(now_s, recording)
        report: dict[str, Any] = {"healthy": healthy, "message": message}
        if issues:
            report["issues"] = issues
        report["recovery_attempts"] = {c.key: c.recovery_attempts for c in recording.cameras}
        report["camera_diagnostics"] = {c.key: self._diagnose(now_s, c) for c in recording.cameras}
        return report

    def due_for_probe(
        self, now_s: float, recording: RecordingObservation | None
    ) -> tuple[CameraObservation, ...]:
        """The cameras whose newest segment is large and still enough to be probed with profit."""
        self._look(now_s, recording)
        if recording is None:
            return ()
        return tuple(c for c in recording.cameras if self._may_probe(now_s, c))

    def _look(self, now_s: float, recording: RecordingObservation | None) -> None:
        match_id = None if recording is None else recording.match_id
        if match_id != self._match_id:
            self._match_id = match_id
            self._marks.clear()
        for camera in () if recording is None else recording.cameras:
            if camera.segment_name is not None:
                before = self._marks.get(camera.camera_id)
                self._marks[camera.camera_id] = _marked(now_s, camera.segment_name, camera, before)

    def _judge(self, now_s: float, recording: RecordingObservation) -> tuple[bool, str, list[str]]:
        if not recording.segments_dir_exists:
            issues = [i for c in recording.cameras for i in self._camera_faults(c)]
            return False, "Segments directory does not exist", issues
        if all(c.segment_name is None for c in recording.cameras):
            issues = [i for c in recording.cameras for i in self._camera_faults(c)]
            if recording.age_s > NO_SEGMENTS_AFTER_S:
                return False, "No segments after 10 seconds", issues
            if not issues:
                return True, "Recording just started", []
        else:
            issues = [i for c in recording.cameras for i in self._issues(now_s, recording, c)]
        return not issues, ", ".join(issues) or "Recording healthy", issues

    def _issues(
        self, now_s: float, recording: RecordingObservation, camera: CameraObservation
    ) -> Iterator[str]:
        name = f"cam{camera.camera_id}"
        stopping = recording.stopping and camera.pipeline_state == "stopping"
        if not camera.pipeline_present:
            yield f"{name}: Pipeline missing"
        elif camera.pipeline_state != "running" and not stopping:
            yield f"{name}: Pipeline state {camera.pipeline_state}"
        if camera.segment_name is None:
            if recording.age_s > CAMERA_NO_SEGMENTS_AFTER_S:
                yield f"{name}: No segment files after 20 seconds"
        else:
            yield from self._segment_faults(now_s, camera)
        yield from self._camera_faults(camera)

    def _segment_faults(self, now_s: float, camera: CameraObservation) -> Iterator[str]:
        name, size_bytes = f"cam{camera.camera_id}", camera.segment_size_bytes
        mark = self._marks[camera.camera_id]
        still_s = now_s - mark.steady_since_s
        if size_bytes == 0 and camera.file_age_s > ZERO_BYTE_AFTER_S:
            yield f"{name}: Zero-byte file"
        # By the last write, not the opening: a small file that still grows is a low bitrate.
        if size_bytes < SMALL_BELOW_BYTES and camera.segment_age_s > SMALL_AFTER_S:
            yield f"{name}: File too small ({size_bytes} bytes)"
        if mark.regressed_from is not None and now_s - mark.opened_s < REGRESSION_SHOWN_S:
            yield f"{name}: Segment index regressed ({mark.index} < {mark.regressed_from})"
        if still_s > NOT_GROWING_AFTER_S and camera.segment_age_s > NOT_GROWING_AFTER_S:
            yield f"{name}: Segment not growing (size={size_bytes})"
        probe = self._probe(now_s, camera)
        if probe["ok"] is False:
            yield f"{name}: Segment probe failed ({probe['error']})"

    def _camera_faults(self, camera: CameraObservation) -> Iterator[str]:
        name, age_s = f"cam{camera.camera_id}", camera.last_frame_age_s
        if camera.failed_permanently:
            yield f"{name}: Recovery exhausted"
        elif camera.recovering:
            error = camera.last_error or "camera lost"
            yield f"{name}: Recovering (attempt {camera.recovery_attempts}): {error}"
        if camera.writer_error is not None:
            yield f"{name}: Footage cannot be written: {camera.writer_error}"
        if camera.disk != OK:
            yield f"{name}: {meaning_of(camera.disk).issue}"
        if age_s is None:
            if camera.stalled:
                yield f"{name}: No frames yet"
        elif camera.stalled or age_s > self._no_frames_after_s:
            yield f"{name}: No frames for {age_s:.1f} s"

    def _diagnose(self, now_s: float, camera: CameraObservation) -> dict[str, Any]:
        diagnosis: dict[str, Any] = {
            "pipeline_present": camera.pipeline_present,
            "pipeline_state": camera.pipeline_state if camera.pipeline_present else "missing",
            "latest_segment": camera.segment_name,
        }
        if camera.segment_name is not None:
            diagnosis["latest_segment_size"] = camera.segment_size_bytes
            diagnosis["latest_segment_age_seconds"] = round(camera.segment_age_s, 3)
            diagnosis["integrity_probe"] = dict(self._probe(now_s, camera))
        age_s = camera.last_frame_age_s
        diagnosis["last_frame_age_seconds"] = None if age_s is None else round(age_s, 3)
        diagnosis["last_error"] = camera.last_error
        return diagnosis

    def _probe(self, now_s: float, camera: CameraObservation) -> Mapping[str, Any]:
        if camera.probe is None or not self._may_probe(now_s, camera):
            return UNPROBED
        return camera.probe

    def _may_probe(self, now_s: float, camera: CameraObservation) -> bool:
        mark = self._marks.get(camera.camera_id)
        return (
            mark is not None
            and camera.segment_name is not None
            and camera.segment_size_bytes >= PROBE_FROM_BYTES
            and camera.segment_age_s > PROBE_AFTER_S
            and now_s - mark.steady_since_s > PROBE_AFTER_S
        )


def _marked(now_s: float, name: str, camera: CameraObservation, before: _Mark | None) -> _Mark:
    index, size_bytes = camera.segment_index, camera.segment_size_bytes
    if before is None or before.name != name:
        lower = before is not None and index < before.index
        return _Mark(
            name=name,
            index=index,
            size_bytes=size_bytes,
            steady_since_s=now_s,
            regressed_from=before.index if before is not None and lower else None,
            opened_s=now_s,
        )
    if size_bytes > before.size_bytes:
        return replace(before, size_bytes=size_bytes, steady_since_s=now_s)
    return before
