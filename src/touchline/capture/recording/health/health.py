"""Recording health report, built from the in-memory state of each camera.

Nothing here reads a file or waits. `RecordingJudge` remembers since when a segment has not grown,
so that frequent polling neither hides a fault nor invents one; `soundness.judge` decides.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from touchline.capture.library.verification.answers import ProbeResult
from touchline.capture.recording.health.answers import CameraDiagnostics, RecordingHealth
from touchline.capture.recording.health.soundness import (
    CameraObservation,
    Growth,
    RecordingObservation,
    judge,
)

PROBE_AFTER_S = 10.0
PROBE_FROM_BYTES = 4 << 20
REGRESSION_SHOWN_S = 10.0
"""Seconds for which a regression is reported.

Long enough for every poller to see it, too short for it alone to trip the overload guard.
"""

UNPROBED: ProbeResult = {"checked": False, "ok": None, "error": None}


@dataclass(frozen=True)
class _Mark:
    """State of a camera's newest segment, and the time since which it has not grown."""

    name: str
    index: int
    size_bytes: int
    steady_since_s: float
    regressed_from: int | None = None
    opened_s: float = 0.0


class RecordingJudge:
    """Monitor of the running recording's health; `now_s` is any steady clock.

    It must be the same clock in each call. A camera without a frame for `no_frames_after_s` is
    reported even if no stall was reported, because a worker that hangs cannot do so itself.
    """

    def __init__(self, *, no_frames_after_s: float = 3.0) -> None:
        self._no_frames_after_s = no_frames_after_s
        self._match_id: str | None = None
        self._marks: dict[int, _Mark] = {}

    def report(self, now_s: float, recording: RecordingObservation | None) -> RecordingHealth:
        """Return the body of `GET /api/v1/recording-health`.

        None stands for no active recording.
        """
        self._update_marks(now_s, recording)
        if recording is None:
            return {"healthy": True, "message": "No active recording"}
        growth = {
            camera.camera_id: self._growth(now_s, camera)
            for camera in recording.cameras
            if camera.segment_name is not None
        }
        verdict = judge(recording, growth, no_frames_after_s=self._no_frames_after_s)
        report: RecordingHealth = {"healthy": verdict.healthy, "message": verdict.message}
        if verdict.issues:
            report["issues"] = list(verdict.issues)
        if verdict.problems:
            report["problems"] = [
                {"kind": issue.kind, "camera": issue.camera, "message": issue.text}
                for issue in verdict.problems
            ]
        report["recovery_attempts"] = {c.key: c.recovery_attempts for c in recording.cameras}
        report["camera_diagnostics"] = {c.key: self._diagnose(now_s, c) for c in recording.cameras}
        return report

    def due_for_probe(
        self, now_s: float, recording: RecordingObservation | None
    ) -> tuple[CameraObservation, ...]:
        """Return the cameras whose newest segment should be probed.

        It is large enough and no longer grows.
        """
        self._update_marks(now_s, recording)
        if recording is None:
            return ()
        return tuple(c for c in recording.cameras if self._may_probe(now_s, c))

    def _update_marks(self, now_s: float, recording: RecordingObservation | None) -> None:
        match_id = None if recording is None else recording.match_id
        if match_id != self._match_id:
            self._match_id = match_id
            self._marks.clear()
        for camera in () if recording is None else recording.cameras:
            if camera.segment_name is not None:
                before = self._marks.get(camera.camera_id)
                self._marks[camera.camera_id] = _update_mark(
                    now_s, camera.segment_name, camera, before
                )

    def _growth(self, now_s: float, camera: CameraObservation) -> Growth:
        mark = self._marks[camera.camera_id]
        shown = now_s - mark.opened_s < REGRESSION_SHOWN_S
        return Growth(
            still_s=now_s - mark.steady_since_s,
            regressed_from=mark.regressed_from if shown else None,
            probe=self._probe(now_s, camera),
        )

    def _diagnose(self, now_s: float, camera: CameraObservation) -> CameraDiagnostics:
        diagnosis: CameraDiagnostics = {
            "pipeline_present": camera.pipeline_present,
            "pipeline_state": camera.pipeline_state if camera.pipeline_present else "missing",
            "latest_segment": camera.segment_name,
        }
        if camera.segment_name is not None:
            diagnosis["latest_segment_size"] = camera.segment_size_bytes
            diagnosis["latest_segment_age_seconds"] = round(camera.segment_age_s, 3)
            diagnosis["integrity_probe"] = self._probe(now_s, camera)
        age_s = camera.last_frame_age_s
        diagnosis["last_frame_age_seconds"] = None if age_s is None else round(age_s, 3)
        diagnosis["last_error"] = camera.last_error
        return diagnosis

    def _probe(self, now_s: float, camera: CameraObservation) -> ProbeResult:
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


def _update_mark(now_s: float, name: str, camera: CameraObservation, before: _Mark | None) -> _Mark:
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
