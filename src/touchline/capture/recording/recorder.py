"""Recorder of one match at a time, with all cameras, from the start to the verification.

A recording is a task that holds the cameras' lease from start to stop, so that the lease is always
released. Requests wait for that task and never run it themselves, so a disconnected client does not
affect it. Frequent requests (status, health) are answered from memory.
"""

from __future__ import annotations

import logging
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from touchline.capture.cameras.lease import CameraLease
from touchline.capture.library import matchclock
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.library.manifest.matchid import valid_match_id
from touchline.capture.library.manifest.rescan import rescan, segment_files
from touchline.capture.logs.diskstates import meaning_of
from touchline.capture.recording import adoption
from touchline.capture.recording.answers import RecordingStatus, StartReport, StopReport
from touchline.capture.recording.context import RecordingContext
from touchline.capture.recording.follower import Follower
from touchline.capture.recording.health.answers import RecordingHealth
from touchline.capture.recording.match.match import Match, MatchIdentity
from touchline.capture.recording.match.status import status_of
from touchline.capture.recording.monitor import RecordingMonitor
from touchline.capture.recording.running import Running
from touchline.capture.recording.start import start_cameras
from touchline.capture.recording.stop import stop_cameras
from touchline.capture.recording.verdict.answers import LastStop, LastStopDismissed
from touchline.core.errors import Blocked, Failed, TouchlineError

log = logging.getLogger(__name__)

_LEAD_NS = 80_000_000
"""Lead of the common start over the order, in nanoseconds.

It gives every worker time to build its pipeline.
"""


class Recorder:
    """Control of recordings: start, monitoring and stop."""

    def __init__(self, context: RecordingContext, lease: CameraLease) -> None:
        self.changed = context.changed
        self.follower = Follower(context)
        self._context = context
        self._lease = lease
        self._monitor = RecordingMonitor(context)

    # ------------------------------------------------------------------ status

    def status(self) -> RecordingStatus:
        """Return the contract's RecordingStatus, from memory."""
        running, guard = self._context.current.running, self._monitor.guard
        if running is None or not running.match.under_way:
            return {
                "recording": False,
                "match_id": None,
                "duration": 0.0,
                "cameras": {},
                "degraded": False,
                "degraded_cameras": {},
                "camera_recovery": {},
                "overload_guard": guard.status(),
            }
        return status_of(
            running.match,
            protection_s=self._context.settings.protection_s,
            require_all=running.require_all,
            guard=guard,
            disk_minutes_left=self._context.disk_minutes(),
        )

    def disk_minutes(self) -> float | None:
        """Return how many minutes of recording the disk lasts, as far as is known."""
        return self._context.disk_minutes()

    def bitrate_bps(self) -> float | None:
        """Return the smoothed bit rate of all cameras together.

        None until each has been measured.
        """
        return self._context.bitrate_bps()

    def health(self) -> RecordingHealth:
        """Return the body of `GET /api/v1/recording-health`, from memory."""
        return self._monitor.health()

    @property
    def last_stop(self) -> LastStop | None:
        """Verdict of the last stop, until the next start or until somebody dismisses it."""
        return self._context.last_stop.current

    async def dismiss_last_stop(self, verdict_id: str | None) -> LastStopDismissed:
        """Dismiss the verdict of the last stop. Raises NotFound if it is another one by now."""
        return await self._context.last_stop.dismiss(verdict_id)

    # ------------------------------------------------------------- start and stop

    async def start(
        self,
        match_id: str | None,
        *,
        force: bool,
        process_after_recording: bool,
        require_all: bool | None = None,
    ) -> StartReport:
        """Start recording, and return when the first frame of every required camera is on disk.

        `require_all` says whether one missing camera refuses the start; None uses the setting.
        Raises Invalid for a bad match id, Blocked if the cameras are in use, Refused for a match of
        a newer version, and Failed if the match's folder cannot be used.
        """
        name = valid_match_id(match_id) if match_id else await self._choose_name()
        if self._context.current.running is not None and not force:
            return self._record_refusal(name, self._refuse_second(self._context.current.running))
        # Before the running match is ended, so that a refused start does not end it.
        no_disk = await self._refuse_bad_disk() or await self._refuse_full_disk()
        if no_disk is not None:
            return self._record_refusal(name, no_disk)
        while True:
            running = self._context.current.running
            if running is not None:
                if not force:  # another start came first during the disk check
                    return self._record_refusal(name, self._refuse_second(running))
                running.stop_asked.set()
                await running.ended.wait()
                continue
            try:
                earlier = await to_thread.run_sync(_earlier, self._context.root / name)
                number = earlier.number if earlier else None
                if number is None:
                    number = await to_thread.run_sync(self._context.record.next_number)
            except OSError as error:
                raise _convert_error(error) from error
            if self._context.current.running is None:
                break
        running = self._begin(
            name,
            number=number,
            earlier=earlier,
            process_after_recording=process_after_recording,
            require_all=require_all,
        )
        return await running.started.get()

    async def _choose_name(self) -> str:
        """Return the date in seconds as a name, with a suffix if that name is taken."""
        named = f"match_{self._context.read_clock()[0].unix_ns // 1_000_000_000}"
        name, count = named, 1
        current = self._context.current
        while current.is_running(name) or await anyio.Path(self._context.root / name).exists():
            count += 1
            name = f"{named}_{count}"
        return name

    def _record_refusal(self, match_id: str, report: StartReport) -> StartReport:
        """Record a failed start in the log and among the events."""
        message = report["message"]
        log.warning("match %s is not recorded: %s", match_id, message)
        code = report.get("code")
        self._context.note("recording", "refused", message, match_id=match_id, code=code)
        return report

    @staticmethod
    def _refuse_second(running: Running) -> StartReport:
        match = running.match
        if match.phase == "stopping":
            message = f"Recording of match {match.match_id} is being stopped; retry in a moment"
            return {"success": False, "message": message, "code": "stop_in_progress"}
        message = f"Already recording match: {match.match_id}"
        return {"success": False, "message": message, "code": "already_recording"}

    async def stop(self, *, force: bool) -> StopReport:
        """Stop all cameras at one instant and verify the files.

        Two stops get the same answer.
        """
        running = self._context.current.running
        if running is None:
            message = "Not currently recording"
            return {"success": False, "message": message, "code": "not_recording"}
        match = running.match
        if match.phase == "starting":
            await running.started.settled()
            return await self.stop(force=force)
        protection_s = self._context.settings.protection_s
        if match.phase == "recording" and not force and match.duration_s < protection_s:
            return {
                "success": False,
                "message": f"Recording protected for {protection_s}s. Current duration:"
                f" {match.duration_s:.1f}s. Use force=True to override.",
                "code": "recording_protected",
                "protected": True,
            }
        running.stop_asked.set()
        return await running.stopped.get()

    async def _refuse_bad_disk(self) -> StartReport | None:
        """Return a refusal if the disk is not the right one or does not take footage."""
        fault = await self._context.disk_fault()
        if fault is None:
            return None
        message = f"{fault.message}. To fix it: {fault.mend}. Then start again."
        code = meaning_of(fault.state, None).kind
        return {"success": False, "message": message, "code": code}

    async def _refuse_full_disk(self) -> StartReport | None:
        """Return a refusal if there is not enough space for a minute of recording."""
        free = await self._context.free_bytes()
        floor = self._context.settings.min_free_bytes
        if free >= floor:
            return None
        await self._context.make_space()
        free = await self._context.free_bytes()
        if free >= floor:
            return None
        return {
            "success": False,
            "message": f"The disk is full: {free >> 20} MiB are free, the reserve is {floor >> 20}"
            " MiB. Delete matches that are no longer needed and start again.",
            "code": "disk_full",
        }

    # ------------------------------------------------------------- the recording itself

    def _begin(
        self,
        match_id: str,
        *,
        number: int | None = None,
        process_after_recording: bool = False,
        before: Manifest | None = None,
        earlier: Manifest | None = None,
        adopted: bool = False,
        require_all: bool | None = None,
    ) -> Running:
        identity = MatchIdentity(
            match_id,
            self._context.root / match_id,
            number if before is None else before.number,
            self._context.disk.mount_point,
        )
        now, trust = self._context.read_clock()
        match = Match(
            identity,
            self._context.cameras.values(),
            part=matchclock.begin_part(
                before or earlier, now, trust, over=earlier is not None, lead_ns=_LEAD_NS
            ),
            process_after_recording=process_after_recording,
            before=before,
            earlier=earlier,
        )
        configured = self._context.settings.require_all_cameras
        running = Running(match, require_all=configured if require_all is None else require_all)
        self._context.spawn(self._record, running, adopted, name=f"recording {match_id}")
        self._context.current.begin(running)
        return running

    async def _record(self, running: Running, adopted: bool) -> None:  # noqa: FBT001
        """Run a recording from start to stop.

        On any error the lease and the state are released.
        """
        context, match = self._context, running.match
        try:
            if self._lease.mode != "idle":
                await self._lease.make_way()
            with self._lease.hold("recording", f"api-recording-{match.match_id}"):
                self._monitor.guard.reset()
                if await self._begin_recording(running, adopted=adopted):
                    await running.stop_asked.wait()
                    await self._end_recording(running)
        except TouchlineError as error:
            running.started.set(error)
            running.stopped.set(error)
        except Exception as error:
            log.exception("the recording of %s failed", match.match_id)
            running.started.set(_convert_error(error))
            if match.phase == "recording":
                await self._end_cameras(match)
            message = f"Error stopping recording: {error}"
            running.stopped.set({"success": False, "message": message, "code": "stop_failed"})
        finally:
            context.current.end()
            if match.phase == "stopping" and match.process_after_recording:
                context.finished(match.match_id)
            # Only a cancelled task gets here without an answer: the server is closing.
            closing = Blocked("The server is shutting down.", code="closing", can_retry=False)
            running.started.set(closing)
            running.stopped.set(closing)
            running.ended.set()
            context.note_changed()

    async def _begin_recording(self, running: Running, *, adopted: bool) -> bool:
        """Start the cameras, or take them over, and answer waiting start requests."""
        context, match = self._context, running.match
        missing: dict[int, str] = {}
        if adopted:
            report = adoption.report_adopted(match)
        else:
            report, missing = await start_cameras(
                context, match, require_all=running.require_all, resuming=match.resumed
            )
        if report["success"]:
            match.begin()
            context.last_stop.clear()
            self._await_late(match, missing)
            context.note_unsaved()
        else:
            self._record_refusal(match.match_id, report)
        running.started.set(report)
        context.note_changed()
        if report["success"]:
            context.note(
                "recording",
                "started",
                report["message"],
                match_id=match.match_id,
                cameras=report.get("cameras_started"),
            )
        return report["success"]

    async def _end_recording(self, running: Running) -> None:
        """Stop the cameras and answer waiting stop requests."""
        context, match = self._context, running.match
        match.begin_stop()
        context.note_changed()
        with anyio.CancelScope(shield=True):
            try:
                running.stopped.set(await stop_cameras(context, match))
            finally:
                context.spawn(self._monitor.verify_finished, match, name="verify finished")

    async def _end_cameras(self, match: Match) -> None:
        """Stop all workers, so that none keeps recording without control."""
        try:
            with anyio.CancelScope(shield=True):
                await stop_cameras(self._context, match)
        except Exception:
            # The next start finds any worker that still records, and ends it.
            log.exception("the cameras of %s could not be stopped", match.match_id)

    def _await_late(self, match: Match, missing: Mapping[int, str]) -> None:
        """Add the optional cameras that are missing when they become available.

        Their workers keep trying. `missing` says why each did not start.
        """
        for camera_id in sorted(missing):
            track = match.tracks[camera_id]
            self.follower.mark_lost(match, track, missing[camera_id])
            if not track.recording:
                self._context.spawn(
                    self.follower.resume_recording, match, track, name="late camera"
                )

    # ---------------------------------------------------------------------- lifecycle

    def begin(self) -> None:
        """Start the loops that monitor, save and verify."""
        self._monitor.begin()

    async def adopt(self, hellos: Mapping[int, Mapping[str, Any]]) -> None:
        """Continue what was being recorded when the last server ended."""
        await to_thread.run_sync(self._context.record.load)
        await self._context.last_stop.load()
        await adoption.adopt(self._context, self.follower, self._begin, hellos)
        self.follower.end_orphans_from_now()

    async def close(self) -> None:
        """Finalise a running recording before an orderly shutdown, and store the last verdict."""
        if self._context.current.running is not None:
            await self.stop(force=True)
        await self._context.last_stop.flush()


def _convert_error(error: Exception) -> Failed:
    return Failed(f"The recording could not be started: {error}", code="start_failed")


def _earlier(folder: Path) -> Manifest | None:
    """Return the manifest of an earlier recording of the same match, if any. Blocks."""
    manifest = manifestfile.load(folder)
    if manifest is None and segment_files(folder):
        manifest = rescan(folder)
    return manifest
