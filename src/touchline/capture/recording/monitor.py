"""Background tasks of a recording: saving the manifest, verification, monitoring."""

from __future__ import annotations

import logging
import math
import time
from pathlib import Path

import anyio
from anyio import to_thread

from touchline.backoff import RetryPauses
from touchline.capture.library.verification.integrityreport import SegmentCheck
from touchline.capture.library.verification.probe import Probe
from touchline.capture.library.verification.segmentcheck import check_segment
from touchline.capture.logs.diagnostics import PROBE_PHRASE
from touchline.capture.recording.context import RecordingContext
from touchline.capture.recording.health.answers import RecordingHealth
from touchline.capture.recording.health.guard import OverloadDetector
from touchline.capture.recording.health.health import RecordingJudge
from touchline.capture.recording.health.soundness import RecordingObservation
from touchline.capture.recording.match.match import Match
from touchline.capture.recording.match.status import observation_of
from touchline.core.tasks import keep_trying
from touchline.foreign.files import is_real_folder

log = logging.getLogger(__name__)

SAVE_EVERY_S = 1.0
PROBE_EVERY_S = 5.0
SPACE_EVERY_S = 5.0
VERIFY_EVERY_S = 1.0
CLOCK_EVERY_S = 1.0
FOLDER_EVERY_S = 0.5
"""Interval of the folder check in seconds.

It is shorter than a worker waits before it recreates a removed folder.
"""

REMEMBER_EVERY_S = 60.0


class RecordingMonitor:
    """Background loops of a recording, and their findings."""

    def __init__(self, context: RecordingContext) -> None:
        self._context = context
        self.watch = RecordingJudge()
        self._saved = 0
        self._refused: dict[int, tuple[str, str | None]] = {}
        self._asleep_ns: int | None = None
        self._slept_ns = 0
        self._slept_for: Match | None = None
        self._remembered_s: float | None = None
        self.guard = OverloadDetector(
            cpu_percent=context.settings.overload_cpu_percent,
            streak=context.settings.overload_streak,
        )

    def begin(self) -> None:
        """Start the loops."""
        settings, context = self._context.settings, self._context
        context.keep("manifest", self.save_once, every_s=SAVE_EVERY_S)
        context.keep("last stop", context.last_stop.save_once, every_s=0.0)
        context.keep("library record", self.save_record_once, every_s=SAVE_EVERY_S)
        context.keep("health probes", self.probe_once, every_s=PROBE_EVERY_S)
        context.keep("verification", self.verify_once, every_s=VERIFY_EVERY_S)
        context.keep("wall clock", self.watch_clock_once, every_s=CLOCK_EVERY_S)
        context.keep("folder", self.look_for_folder_once, every_s=FOLDER_EVERY_S)
        context.keep("space", self.make_space_once, every_s=SPACE_EVERY_S)
        if settings.overload_guard_enabled:
            every_s = settings.overload_poll_s
            context.keep("overload guard", self.guard_once, every_s=every_s)

    def health(self) -> RecordingHealth:
        """Return the body of `GET /api/v1/recording-health`, from memory."""
        return self.watch.report(time.monotonic(), self._observation())

    def _observation(self) -> RecordingObservation | None:
        running = self._context.current.running
        if running is None or not running.match.under_way:
            return None
        return observation_of(running.match)

    async def save_once(self) -> None:
        """Wait until the manifest changes, and save it. Raises OSError."""
        context = self._context
        version = await context.unsaved.wait(self._saved)
        running = context.current.running
        if running is not None and running.match.phase == "recording":
            await context.save(running.match, "recording")
        self._saved = version

    async def save_record_once(self) -> None:
        """Store the library's record if it has changed. Raises OSError."""
        record = self._context.record
        if not record.is_saved:
            await to_thread.run_sync(record.save, abandon_on_cancel=True)

    async def watch_clock_once(self) -> None:
        """Correct the running match's dates after the wall clock was set.

        The current clock readings are recorded.
        """
        context = self._context
        now, trust = context.read_clock()
        slept_ns = now.asleep_ns - (now.asleep_ns if self._asleep_ns is None else self._asleep_ns)
        self._asleep_ns = now.asleep_ns
        self._slept_ns += slept_ns
        running = context.current.running
        if running is None:
            self._slept_ns, self._slept_for = 0, None
            return
        match = running.match
        if self._slept_for is not match:
            self._slept_ns, self._slept_for = 0, match
        before_s = match.started_unix_ns / 1e9
        if match.follow_clock(now, trust, slept_ns=self._slept_ns):
            moved_s = match.started_unix_ns / 1e9 - before_s
            if moved_s:
                log.warning(
                    "the system clock was set: moving the start of %s by %.1f s",
                    match.match_id,
                    moved_s,
                )
            context.note_unsaved()
            context.note_changed()
        now_s = now.monotonic_ns / 1e9
        if self._remembered_s is None or now_s - self._remembered_s > REMEMBER_EVERY_S:
            self._remembered_s = now_s
            await to_thread.run_sync(context.record.note_date, now.unix_ns, trust)

    async def look_for_folder_once(self) -> None:
        """Check whether the folder that the workers write to still exists."""
        running = self._context.current.running
        if running is None or running.match.phase != "recording":
            return
        match = running.match
        exists = await to_thread.run_sync(is_real_folder, match.segments_folder)
        if match.note_folder(exists=exists):
            self._context.note_changed()

    async def make_space_once(self) -> None:
        """Empty the trash before the disk is full; try again to free space while it is.

        An earlier attempt may have freed nothing.
        """
        running = self._context.current.running
        if running is None:
            return
        if any(t.disk == "full" for t in running.match.tracks.values()):
            await self._context.make_space()
        else:
            await self._context.empty_trash_early()

    async def probe_once(self) -> None:
        """Run ffprobe on each segment that is large and has stopped growing."""
        running = self._context.current.running
        if running is None:
            return
        match = running.match
        for camera in self.watch.due_for_probe(time.monotonic(), self._observation()):
            if camera.segment_name is not None:
                path = match.segments_folder / camera.segment_name
                probe = await self._context.prober.probe(path)
                match.tracks[camera.camera_id].note_probe(probe.to_json())
                self._log_refused(camera.camera_id, camera.segment_name, probe)

    def _log_refused(self, camera_id: int, segment: str, probe: Probe) -> None:
        """Log a segment that ffprobe refuses, once."""
        refused = (segment, probe.error)
        if probe.ok is False and self._refused.get(camera_id) != refused:
            self._refused[camera_id] = refused
            log.warning("%s for cam%d: %s: %s", PROBE_PHRASE, camera_id, segment, probe.error)

    async def verify_once(self) -> None:
        """Read back every finished segment, so that a stop need not."""
        context = self._context
        while context.unverified:
            match, track, name = context.unverified.pop(0)
            segment = track.segments.get(name)
            running = context.current.running is not None and context.current.running.match is match
            if segment is None or not running or match.phase != "recording":
                continue  # a stop reads it itself; files of a failed start have been removed
            check = await _check(match.folder, name)
            known = track.segments.get(name)
            if known is not None and known.size_bytes == check.segment.size_bytes:
                track.note_verified(name, check.segment.verified)
                context.note_unsaved()
            for fault in check.faults:
                log.error("%s: %s", match.match_id, fault)

    async def verify_finished(self, match: Match) -> None:
        """Read every byte of segments whose structure the stop has checked, and store the result.

        If the stop could not save the manifest, as on a full disk, this is retried until it is
        saved, or the match is deleted or recorded again.
        """
        for track in match.tracks.values():
            for name, segment in list(track.segments.items()):
                if segment.verified is None:
                    check = await _check(match.folder, name)
                    track.note_verified(name, check.segment.verified)
        context, match_id = self._context, match.match_id

        async def save() -> None:
            is_there = await anyio.Path(match.folder).exists()
            if is_there and not context.current.is_running(match_id):
                await context.save(match, "finished")

        def report(_name: str, error: Exception, _failures: int, _pause_s: float) -> None:
            log.error("the manifest of %s cannot be saved: %s", match_id, error)

        pauses = RetryPauses(SAVE_EVERY_S, SAVE_EVERY_S, stable_s=math.inf)
        await keep_trying("manifest", save, pauses=pauses, retries=OSError, report=report)

    async def guard_once(self) -> None:
        """Take one sample of the overload guard while a match is recorded."""
        observation = self._observation()
        if observation is None:
            return
        sample = self._context.host.sample
        alarm = self.guard.once(time.time(), sample.cpu_percent if sample else None, self.health())
        if alarm is not None:
            self._context.send_alert(alarm)


async def _check(folder: Path, name: str) -> SegmentCheck:
    return await to_thread.run_sync(lambda: check_segment(folder, name, checksums=True))
