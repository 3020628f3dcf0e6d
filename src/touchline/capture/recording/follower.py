"""Handling of worker events during a recording: segments, losses, disk states, returns."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Mapping
from typing import Any

from touchline.capture.cameras.cameras import Camera
from touchline.capture.logs import alerts as alert
from touchline.capture.recording.context import RecordingContext
from touchline.capture.recording.match.match import Match
from touchline.capture.recording.match.track import Track
from touchline.capture.recording.orders import make_order
from touchline.core.errors import Blocked, Failed
from touchline.ipc.wire import GapKind
from touchline.media.storage.disk import FULL, OK

log = logging.getLogger(__name__)

Handle = Callable[[Match, Track, Mapping[str, Any]], None]


class Follower:
    """Handler of worker events for the recorder.

    Each change of state is alerted once, each change of data marked.
    """

    def __init__(self, context: RecordingContext) -> None:
        self._context = context
        self._states: dict[int, Any] = {}  # last known state by camera
        self._unknown: set[str] = set()
        self._ends_orphans = False
        self.handlers: Mapping[str, Handle] = {
            "status": self._status,
            "segment": self._segment,
            "gap": self._gap,
            "disk": self._disk,
            "writer_failed": self._writer_failed,
            "writer_recovered": self._writer_recovered,
        }
        """Handlers by event of `wire.WORKER_EVENTS`; a test keeps the two in sync."""

    async def camera_connected(self, camera: Camera, hello: Mapping[str, Any]) -> None:
        """Handle a new worker connection.

        If its camera belongs to the running match, recording continues.
        """
        running = self._context.current.running
        order = hello.get("order")
        if order is not None:
            track = running.match.tracks.get(camera.id) if running else None
            if running is None or track is None or running.match.match_id != order["match_id"]:
                if self._ends_orphans:
                    await self.end_orphan(camera, order["match_id"])
                return
            track.take_report(hello["report"])
            return
        if running is None or running.match.phase != "recording":
            return
        match, track = running.match, running.match.tracks[camera.id]
        track.replace_worker()
        # The dead worker's file is repaired first: it determines where the gap begins.
        try:
            await self._context.repair_segments(match, track)
        except OSError as error:
            log.error("%s cannot be repaired now: %s", track.camera.name, error)
        if self._context.current.running is not running or match.phase != "recording":
            return
        track.count_attempts_anew()
        await self.resume_recording(match, track)

    def end_orphans_from_now(self) -> None:
        """End recordings of other matches as their workers connect.

        Until this is called, the adoption handles all workers together.
        """
        self._ends_orphans = True

    async def resume_recording(self, match: Match, track: Track) -> None:
        """Start recording again with a new worker; the segment's event reports success."""
        settings = self._context.settings
        order = make_order(settings, match, track, resumed=True)
        try:
            reply = await track.camera.record(order, settings.start_timeout_s)
        except (Blocked, Failed) as error:
            if error.code != "recording":  # otherwise it is already recording
                log.error("%s cannot continue: %s", track.camera.name, error.message)
            return
        track.begin_recording()
        if reply["started"]:
            self._handle_opened(match, track, reply["segment"])

    def camera_event(self, camera: Camera, event: Mapping[str, Any]) -> None:
        """Handle an event of a camera in the running match."""
        context = self._context
        state = camera.status.get("state")
        # A worker reports continuously; only changes that matter to a viewer are marked.
        if event.get("event") != "status" or self._states.get(camera.id) != state:
            self._states[camera.id] = state
            context.note_changed()
        if event.get("event") == "status":
            bitrate_bps = float(camera.status.get("bitrate_bps") or 0)
            context.rates.note(camera.id, bitrate_bps, time.monotonic())
        running = context.current.running
        if running is None or camera.id not in running.match.tracks:
            return
        kind = str(event.get("event"))
        handle = self.handlers.get(kind)
        if handle is not None:
            handle(running.match, running.match.tracks[camera.id], event)
        elif kind not in self._unknown:
            self._unknown.add(kind)
            log.warning("%s sent %r, which is unknown to this server", camera.name, kind)

    def _status(self, match: Match, track: Track, event: Mapping[str, Any]) -> None:
        recording = event.get("recording")
        match.take_status(track, recording)
        if recording is not None and recording.get("match_id") == match.match_id:
            # Events are only faster; the worker's repeated status is authoritative.
            state, error = str(recording.get("disk") or OK), recording.get("disk_error")
            self._set_disk_state(match, track, state, error, recording.get("disk_errno"))
            if recording.get("writer_error") != track.writer_error:
                self._set_writer_state(match, track, recording.get("writer_error"))
        self._update_state(match, track)

    def _segment(self, match: Match, track: Track, event: Mapping[str, Any]) -> None:
        if event["change"] == "opened":
            self._handle_opened(match, track, event["segment"])
        else:
            track.note_segment(event["segment"], event["change"])
            if event["change"] == "closed":
                self._context.unverified.append((match, track, event["segment"]["name"]))
        self._context.note_unsaved()

    def _gap(self, match: Match, track: Track, event: Mapping[str, Any]) -> None:
        del match
        track.note_gap(event["gap"])
        self._context.note_unsaved()

    def _writer_failed(self, match: Match, track: Track, event: Mapping[str, Any]) -> None:
        self._set_writer_state(match, track, str(event["reason"]))

    def _writer_recovered(self, match: Match, track: Track, event: Mapping[str, Any]) -> None:
        del event
        self._set_writer_state(match, track, None)

    def _set_writer_state(self, match: Match, track: Track, error: str | None) -> None:
        before = track.note_writer(error)
        context, camera_id = self._context, track.camera.id
        if error is not None and before is None:
            context.send_alert(alert.recording_writer_failed(match.match_id, camera_id, error))
        elif error is None and before is not None:
            context.send_alert(alert.recording_writer_recovered(match.match_id, camera_id))
        self._context.note_changed()
        self._context.note_unsaved()

    def camera_lost(self, camera: Camera, reason: str) -> None:
        """Handle the loss of a worker; its successor is being started."""
        self._context.note_changed()
        running = self._context.current.running
        if running is not None and camera.id in running.match.tracks:
            track = running.match.tracks[camera.id]
            if running.match.phase == "recording":
                self.mark_lost(running.match, track, f"the worker exited: {reason}", "worker")

    def mark_lost(self, match: Match, track: Track, reason: str, kind: GapKind = "camera") -> None:
        """Mark the camera as delivering nothing, and send an alert if that is new."""
        # A camera without footage was missing from the start, even if it is noticed later.
        at_unix_ns = match.now_ns()
        if not track.started:
            at_unix_ns = min(at_unix_ns, match.start_unix_ns)
        if track.mark_lost(reason, at_unix_ns, kind):
            self._context.send_alert(
                alert.recording_camera_lost(match.match_id, track.camera.id, reason)
            )
            self._context.note_unsaved()
            self._context.note_changed()

    def _handle_opened(self, match: Match, track: Track, segment: Mapping[str, Any]) -> None:
        was_lost, end = track.lost, track.end_unix_ns
        track.note_segment(segment, "opened")
        if was_lost and match.phase == "recording":
            gap_s = None if end is None else (segment["start_unix_ns"] - end) / 1e9
            self._handle_recovered(match, track, gap_s=gap_s)
        self._context.note_unsaved()

    def _handle_recovered(self, match: Match, track: Track, *, gap_s: float | None) -> None:
        self._context.note_changed()
        self._context.send_alert(
            alert.recording_camera_recovered(
                match.match_id, track.camera.id, attempts=track.attempts, gap_s=gap_s
            )
        )

    async def end_orphan(self, camera: Camera, match_id: str) -> None:
        """Stop a worker that records an abandoned match, so that it finishes its file."""
        log.warning("%s was still recording %s and is stopped", camera.name, match_id)
        try:
            await camera.stop(time.monotonic_ns(), self._context.settings.stop_timeout_s)
        except (Blocked, Failed) as error:
            log.error("%s: %s", camera.name, error.message)

    def _update_state(self, match: Match, track: Track) -> None:
        """Follow the camera's state: lost, and recovered without a new segment."""
        if match.phase != "recording":
            return
        stall_after_s = self._context.settings.stall_after_s
        reason = match.lost_reason(track.camera)
        if reason is not None:
            self.mark_lost(
                match, track, reason, "camera" if track.camera.link.connected else "worker"
            )
            return
        age = track.camera.last_frame_age_s
        delivers = track.camera.state == "running" and age is not None and age < stall_after_s
        grows = track.started and track.unchanged_s < stall_after_s
        if track.lost and delivers and grows:
            # The stall ended within the same segment.
            track.mark_recovered()
            self._handle_recovered(match, track, gap_s=None)
            self._context.note_unsaved()

    def _disk(self, match: Match, track: Track, event: Mapping[str, Any]) -> None:
        self._set_disk_state(
            match, track, str(event["state"]), event.get("error"), event.get("errno")
        )

    def _set_disk_state(
        self, match: Match, track: Track, state: str, error: str | None, errno: int | None
    ) -> None:
        """Note the state of a camera's disk.

        Each state is alerted once, however many cameras report it.
        """
        context = self._context
        before = {t.disk for t in match.tracks.values()} - {OK}
        if not track.note_disk(state, error, errno):
            return
        now = {t.disk for t in match.tracks.values()} - {OK}
        free, floor = context.host.disk_free_bytes or 0, context.settings.min_free_bytes
        for new in sorted(now - before):
            context.send_alert(
                alert.recording_disk_state(
                    match.match_id,
                    new,
                    error=error,
                    errno=errno,
                    free_bytes=free,
                    floor_bytes=floor,
                )
            )
            if new == FULL:
                context.spawn(context.make_space, name="space cleanup")
        if before and not now:
            (over, *_) = sorted(before)
            context.send_alert(
                alert.recording_disk_recovered(match.match_id, free_bytes=free, state=over)
            )
        context.note_changed()
        context.note_unsaved()
