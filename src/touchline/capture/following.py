"""What the workers tell while a match is recorded: segments, losses, disks, deaths and returns."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from typing import Any

from touchline.capture import alerts as alert
from touchline.capture.cameras import Camera
from touchline.capture.desk import Desk
from touchline.capture.match import Match, Track
from touchline.capture.orders import make_order
from touchline.core.errors import Blocked, Failed

log = logging.getLogger(__name__)


class Follower:
    """The recorder's ear at the workers. Each edge is alerted once, each change marked."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._states: dict[int, Any] = {}  # what each camera's state was when last told

    async def camera_connected(self, camera: Camera, hello: Mapping[str, Any]) -> None:
        """A worker is there. If its camera belongs to the running match, it records on."""
        running = self._desk.running
        order = hello.get("order")
        if order is not None:
            track = running.match.tracks.get(camera.id) if running else None
            if running is None or track is None or running.match.match_id != order["match_id"]:
                if self._desk.adopted:  # before that, the adoption looks at all of them together
                    await self.end_orphan(camera, order["match_id"])
                return
            self.take_report(track, hello["report"])
            return
        if running is None or running.match.phase != "recording":
            return
        match, track = running.match, running.match.tracks[camera.id]
        track.respawns += 1
        track.recording = False
        # The dead worker's file is mended first: it says where the gap begins.
        try:
            await self._desk.mend(match, track)
        except OSError as error:
            log.error("%s cannot be mended now: %s", track.camera.name, error)  # noqa: TRY400
        if self._desk.running is not running or match.phase != "recording":
            return
        track.attempts_before = 0
        await self.go_on(match, track)

    async def go_on(self, match: Match, track: Track) -> None:
        """Record again with a new worker; the segment's event says when it does."""
        settings = self._desk.settings
        order = make_order(settings, match, track, resumed=True)
        try:
            reply = await track.camera.record(order, settings.start_timeout_s)
        except (Blocked, Failed) as error:
            if error.code != "recording":  # somebody was quicker, and it does go on
                log.error("%s cannot go on: %s", track.camera.name, error.message)  # noqa: TRY400
            return
        track.recording = True
        if reply["started"]:
            self._opened(match, track, reply["segment"])

    def camera_event(self, camera: Camera, event: Mapping[str, Any]) -> None:
        """Something happened to a camera of the running match."""
        desk = self._desk
        state = camera.status.get("state")
        # A worker tells its figures all the time; only what a viewer would call news is marked.
        if event.get("event") != "status" or self._states.get(camera.id) != state:
            self._states[camera.id] = state
            desk.changed.mark()
        running = desk.running
        if running is None or camera.id not in running.match.tracks:
            return
        match, track = running.match, running.match.tracks[camera.id]
        kind = event.get("event")
        if kind == "segment":
            if event["change"] == "opened":
                self._opened(match, track, event["segment"])
            else:
                track.note_segment(event["segment"], event["change"])
                if event["change"] == "closed":
                    desk.unverified.append((match, track, event["segment"]["name"]))
            desk.unsaved.mark()
        elif kind == "disk":
            self._disk_changed(match, track, event)
        elif kind == "status":
            match.take_status(track, event.get("recording"))
            self._judge(match, track)

    def camera_lost(self, camera: Camera, reason: str) -> None:
        """The worker died; its successor is on its way."""
        self._desk.changed.mark()
        running = self._desk.running
        if running is not None and camera.id in running.match.tracks:
            track = running.match.tracks[camera.id]
            if running.match.phase == "recording":
                self.lose(running.match, track, f"the worker is gone: {reason}")

    def lose(self, match: Match, track: Track, reason: str) -> None:
        """Note that the camera delivers nothing, and alert it where that is news."""
        if track.lose(reason, match.now_ns()):
            self._desk.alerts.send(
                alert.recording_camera_lost(match.match_id, track.camera.id, reason)
            )
            self._desk.unsaved.mark()
            self._desk.changed.mark()

    @staticmethod
    def take_report(track: Track, report: Mapping[str, Any]) -> None:
        """Take over what a worker that records already has recorded."""
        for segment in report["segments"]:
            track.note_segment(segment, "reported")
        track.recording = track.started = True

    def _opened(self, match: Match, track: Track, segment: Mapping[str, Any]) -> None:
        was_lost, end = track.lost, track.end_unix_ns
        track.note_segment(segment, "opened")
        if was_lost and match.phase == "recording":
            gap_s = None if end is None else (segment["start_unix_ns"] - end) / 1e9
            self._recovered(match, track, gap_s=gap_s)
        self._desk.unsaved.mark()

    def _recovered(self, match: Match, track: Track, *, gap_s: float | None) -> None:
        self._desk.changed.mark()
        self._desk.alerts.send(
            alert.recording_camera_recovered(
                match.match_id, track.camera.id, attempts=track.attempts, gap_s=gap_s
            )
        )

    async def end_orphan(self, camera: Camera, match_id: str) -> None:
        """Let a worker that records what nobody wants finish its file, so that it is free."""
        log.warning("%s was still recording %s; it is stopped", camera.name, match_id)
        try:
            await camera.stop(time.monotonic_ns(), self._desk.settings.stop_timeout_s)
        except (Blocked, Failed) as error:
            log.error("%s: %s", camera.name, error.message)  # noqa: TRY400

    def _judge(self, match: Match, track: Track) -> None:
        """Follow the camera's state: lost, and found again without a new segment."""
        if match.phase != "recording":
            return
        stall_after_s = self._desk.settings.stall_after_s
        reason = match.lost_reason(track.camera)
        if reason is not None:
            self.lose(match, track, reason)
            return
        age = track.camera.last_frame_age_s
        delivers = track.camera.state == "running" and age is not None and age < stall_after_s
        grows = track.started and time.monotonic() - track.changed_at < stall_after_s
        if track.lost and delivers and grows:
            # The stall ended within the same segment.
            track.found_again()
            self._recovered(match, track, gap_s=None)
            self._desk.unsaved.mark()

    def _disk_changed(self, match: Match, track: Track, event: Mapping[str, Any]) -> None:
        desk = self._desk
        full_before = any(t.disk == "full" for t in match.tracks.values())
        track.disk, track.disk_error = str(event["state"]), event.get("error")
        full_now = any(t.disk == "full" for t in match.tracks.values())
        free = desk.host.disk_free_bytes or 0
        if full_now and not full_before:
            desk.alerts.send(
                alert.recording_disk_full(
                    match.match_id, free_bytes=free, floor_bytes=desk.settings.min_free_bytes
                )
            )
            if desk.settings.delete_oldest_when_full:
                desk.spawn(desk.make_space, name="making space")
        elif full_before and not full_now:
            desk.alerts.send(alert.recording_disk_recovered(match.match_id, free_bytes=free))
        desk.unsaved.mark()
