"""The recorder: one match at a time, all cameras together, from the first order to the verdict.

A recording is a task that holds the cameras' lease from start to stop, so that no path leaves the
lease behind. Requests wait for that task; they never are it, and a client that goes away changes
nothing. Everything that is asked often (status, health) is answered from memory.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from anyio.abc import TaskGroup

from touchline.capture import alerts as alert
from touchline.capture import manifest as manifests
from touchline.capture import recovery
from touchline.capture.alertlog import Alerts
from touchline.capture.cameras import Camera
from touchline.capture.guard import OverloadGuard
from touchline.capture.health import HealthWatch
from touchline.capture.host import HostSampler, disk_forecast
from touchline.capture.integrity import Expected, check_segment
from touchline.capture.lease import CameraLease
from touchline.capture.manifest import Interruption, Manifest, valid_match_id
from touchline.capture.match import Match, Track
from touchline.capture.orders import make_order
from touchline.capture.probe import Prober
from touchline.capture.settings import CaptureSettings
from touchline.capture.space import Space
from touchline.capture.stopgate import check_stop
from touchline.capture.stopreport import stop_report
from touchline.core.errors import Blocked, Failed, TouchlineError
from touchline.core.events import EventLog
from touchline.core.tasks import Changed, keep_running

log = logging.getLogger(__name__)

SAVE_EVERY_S = 1.0
_LEAD_NS = 80_000_000
"""How far ahead of the order the common start lies: time for every worker to build its pipeline."""
_LOST_CAMERA_TIMEOUT_S = 2.0


@dataclass(frozen=True)
class Report:
    """What a start or a stop came to, in the contract's form."""

    value: Mapping[str, Any]

    @property
    def success(self) -> bool:
        """The contract's `success`."""
        return bool(self.value["success"])

    def to_json(self) -> dict[str, Any]:
        """The body of the answer."""
        return dict(self.value)


class _Answer:
    """A report that is still being made; any number may wait for it."""

    def __init__(self) -> None:
        self._event = anyio.Event()
        self._value: Report | BaseException | None = None

    def set(self, value: Report | BaseException) -> None:
        if self._value is None:
            self._value = value
            self._event.set()

    async def get(self) -> Report:
        await self._event.wait()
        if isinstance(self._value, Report):
            return self._value
        if self._value is None:
            msg = "an answer without a value"
            raise RuntimeError(msg)
        raise self._value


class _Running:
    """The recording task's side of the story."""

    def __init__(self, match: Match) -> None:
        self.match = match
        self.started = _Answer()
        self.stop_asked = anyio.Event()
        self.stopped = _Answer()
        self.ended = anyio.Event()


class Recorder:
    """Starts, watches and stops recordings. Belongs to the event loop."""

    def __init__(
        self,
        settings: CaptureSettings,
        *,
        root: Path,
        lease: CameraLease,
        host: HostSampler,
        alerts: Alerts,
        events: EventLog,
        prober: Prober,
    ) -> None:
        self.cameras: Mapping[int, Camera] = {}
        self.space: Space | None = None
        self.changed = Changed()
        self._settings = settings
        self._root = root
        self._lease = lease
        self._host = host
        self._alerts = alerts
        self._events = events
        self._prober = prober
        self._running: _Running | None = None
        self._guard = OverloadGuard(
            cpu_percent=settings.overload_cpu_percent, streak=settings.overload_streak
        )
        self._watch = HealthWatch()
        self._tasks: TaskGroup | None = None
        self._unsaved = Changed()
        self._saved_version = 0
        self._save_lock = anyio.Lock()
        self._unverified: list[tuple[Match, Track, str]] = []

    # ------------------------------------------------------------- asked often

    def is_running(self, match_id: str) -> bool:
        """Whether this match is being recorded at the moment."""
        return self._running is not None and self._running.match.match_id == match_id

    def status(self) -> dict[str, Any]:
        """RecordingStatus of the contract, from memory."""
        running = self._running
        if running is None or running.match.phase == "starting":
            return {
                "recording": False,
                "match_id": None,
                "duration": 0.0,
                "cameras": {},
                "degraded": False,
                "degraded_cameras": {},
                "camera_recovery": {},
                "overload_guard": self._guard.status(),
            }
        status = running.match.status(
            protection_s=self._settings.protection_s,
            require_all=self._settings.require_all_cameras,
        )
        overloaded = self._guard.degraded_reason
        if overloaded is not None:
            status["degraded_cameras"]["overload_guard"] = overloaded
        status["degraded"] = bool(status["degraded_cameras"])
        status["overload_guard"] = self._guard.status()
        status["disk_minutes_left"] = self._disk_minutes()
        return status

    def health(self) -> dict[str, Any]:
        """The body of `GET /api/v1/recording-health`, from memory."""
        return self._watch.report(time.monotonic(), self._observation())

    def _observation(self) -> Any:
        running = self._running
        if running is None or running.match.phase == "starting":
            return None
        return running.match.observation()

    def _disk_minutes(self) -> float | None:
        free = self._host.disk_free_bytes
        bitrate = sum(c.status.get("bitrate_bps") or 0 for c in self.cameras.values())
        if free is None or not bitrate:
            return None
        minutes = disk_forecast(free, self._settings.min_free_bytes, bitrate)
        return None if minutes is None else round(minutes, 1)

    # ------------------------------------------------------------- start and stop

    async def start(
        self, match_id: str | None, *, force: bool, process_after_recording: bool
    ) -> Report:
        """Record; answers when the first frame of every required camera is on its way to disk.

        Raises Invalid for a bad match id and Blocked when the cameras cannot be had.
        """
        name = valid_match_id(match_id) if match_id else f"match_{int(time.time())}"
        while (running := self._running) is not None:
            if running.match.phase == "stopping":
                if not force:
                    return _refusal(
                        f"Recording of match {running.match.match_id} is being stopped;"
                        " try again in a moment"
                    )
            elif not force:
                return _refusal(f"Already recording match: {running.match.match_id}")
            elif running.match.phase == "recording":
                running.stop_asked.set()
            await running.ended.wait()
        refusal = await self._refuse_full_disk()
        if refusal is not None:
            return refusal
        if self._running is not None:  # somebody was quicker while the disk was looked at
            return _refusal(f"Already recording match: {self._running.match.match_id}")
        running = self._begin(name, process_after_recording=process_after_recording)
        return await running.started.get()

    async def stop(self, *, force: bool) -> Report:
        """Stop all cameras at one instant and judge the files. Two stops get the same answer."""
        running = self._running
        if running is None:
            return _refusal("Not currently recording")
        match = running.match
        if match.phase == "starting":
            await running.started.get()
            return await self.stop(force=force)
        protection_s = self._settings.protection_s
        if match.phase == "recording" and not force and match.duration_s < protection_s:
            return Report(
                {
                    "success": False,
                    "message": f"Recording protected for {protection_s}s. Current duration:"
                    f" {match.duration_s:.1f}s. Use force=True to override.",
                    "protected": True,
                }
            )
        running.stop_asked.set()
        return await running.stopped.get()

    async def _refuse_full_disk(self) -> Report | None:
        """A recording that could not write a minute is not begun."""
        free = await to_thread.run_sync(_free_bytes, self._root)
        floor = self._settings.min_free_bytes
        if free >= floor:
            return None
        if self._settings.delete_oldest_when_full:
            await self._make_space()
            free = await to_thread.run_sync(_free_bytes, self._root)
            if free >= floor:
                return None
        return _refusal(
            f"The disk is full: {free >> 20} MiB are free and {floor >> 20} MiB are always kept"
            " free. Delete matches that are no longer needed and start again."
        )

    async def _make_space(self) -> None:
        if self.space is not None:
            await self.space.make(self.is_running)

    def _begin(
        self,
        match_id: str,
        *,
        process_after_recording: bool = False,
        before: Manifest | None = None,
        adopted: bool = False,
    ) -> _Running:
        now_ns = time.monotonic_ns() + _LEAD_NS
        match = Match(
            match_id,
            self._root / match_id,
            self.cameras.values(),
            start_unix_ns=time.time_ns() + _LEAD_NS,
            start_monotonic_ns=now_ns,
            boot_id=recovery.boot_id(),
            process_after_recording=process_after_recording,
            before=before,
        )
        running = self._running = _Running(match)
        if self._tasks is None:
            msg = "the recorder is not open"
            raise RuntimeError(msg)
        self._tasks.start_soon(self._record, running, adopted, name=f"recording {match_id}")
        return running

    async def _record(self, running: _Running, adopted: bool) -> None:  # noqa: FBT001
        """A recording from start to stop; whatever happens, the lease and the state are let go."""
        match = running.match
        try:
            if self._lease.mode != "idle":
                await self._lease.make_way()
            with self._lease.hold("recording", f"api-recording-{match.match_id}"):
                self._guard.reset()
                report = _adopted(match) if adopted else await self._start_cameras(match)
                if report.success:
                    match.phase = "recording"
                    self._unsaved.mark()
                running.started.set(report)
                self.changed.mark()
                if not report.success:
                    return
                self._events.record(
                    "recording",
                    "started",
                    str(report.value["message"]),
                    match_id=match.match_id,
                    cameras=list(report.value["cameras_started"]),
                )
                await running.stop_asked.wait()
                match.phase = "stopping"
                self.changed.mark()
                with anyio.CancelScope(shield=True):
                    running.stopped.set(await self._stop_cameras(match))
        except TouchlineError as error:
            running.started.set(error)
            running.stopped.set(error)
        except Exception as error:
            log.exception("the recording of %s failed", match.match_id)
            running.started.set(Failed(f"The recording could not be started: {error}"))
            running.stopped.set(_refusal(f"Error stopping recording: {error}"))
        finally:
            self._running = None
            running.ended.set()
            self.changed.mark()

    # ------------------------------------------------------------------ starting

    async def _start_cameras(self, match: Match) -> Report:
        new_folder = not await anyio.Path(match.folder).exists()
        await to_thread.run_sync(_make_folders, match.segments_folder)
        await self._save(match, "recording")
        results: dict[int, str | None] = {}

        async def start(track: Track) -> None:
            results[track.camera.id] = await self._start_camera(match, track)

        async with anyio.create_task_group() as tasks:
            for track in match.tracks.values():
                tasks.start_soon(start, track)
        failed = sorted(i for i, error in results.items() if error is not None)
        started = sorted(i for i, error in results.items() if error is None)
        require_all = self._settings.require_all_cameras
        errors = {f"camera_{i}": results[i] for i in failed}
        if failed and (require_all or not started):
            await self._roll_back(match, new_folder=new_folder)
            for camera_id in failed:
                log.error("camera %d did not start: %s", camera_id, results[camera_id])
            if require_all:
                return Report(
                    {
                        "success": False,
                        "message": "Failed to start all required cameras",
                        "cameras_started": [],
                        "cameras_failed": failed,
                        "require_all_cameras": True,
                        "errors": errors,
                    }
                )
            return Report(
                {
                    "success": False,
                    "message": "Failed to start any cameras",
                    "failed_cameras": failed,
                    "errors": errors,
                }
            )
        for camera_id in failed:
            # It is not required: its worker keeps trying and joins when it can.
            track = match.tracks[camera_id]
            self._lost(match, track, str(results[camera_id]))
        return Report(
            {
                "success": True,
                "message": f"Recording started for match: {match.match_id}",
                "match_id": match.match_id,
                "cameras_started": started,
                "cameras_failed": failed,
                "require_all_cameras": require_all,
                "disk_minutes_left": self._disk_minutes(),
                **({"errors": errors} if errors else {}),
            }
        )

    async def _start_camera(self, match: Match, track: Track) -> str | None:
        """Why the camera does not record; None when it does."""
        camera = track.camera
        timeout_s = self._settings.start_timeout_s
        keeps_running = camera.spec is not None and camera.spec.keep_running
        if keeps_running and camera.status.get("state") in {"retrying", "error"}:
            timeout_s = min(timeout_s, _LOST_CAMERA_TIMEOUT_S)  # it is known to be away
        with anyio.move_on_after(timeout_s):
            await camera.ready.wait()
        try:
            reply = await camera.record(make_order(self._settings, match, track), timeout_s)
        except (Blocked, Failed) as error:
            return camera.last_error or error.message
        track.recording = True
        if not reply["started"]:
            return str(reply["error"])
        track.note_segment(reply["segment"], "opened")
        return None

    async def _roll_back(self, match: Match, *, new_folder: bool) -> None:
        """Leave nothing of a recording that never began."""
        now_ns = time.monotonic_ns()

        async def stop(track: Track) -> None:
            try:
                report = await track.camera.stop(now_ns, self._settings.stop_timeout_s)
            except (Blocked, Failed) as error:
                if error.code != "not_recording":
                    log.warning("rolling back %s: %s", track.camera.name, error.message)
                return
            for segment in report["segments"]:
                await anyio.Path(match.segments_folder / segment["name"]).unlink(missing_ok=True)

        async with anyio.create_task_group() as tasks:
            for track in match.tracks.values():
                tasks.start_soon(stop, track)
        if new_folder:
            await to_thread.run_sync(_remove_empty, match.folder)
        else:
            await self._save(match, "finished")

    # ------------------------------------------------------------------ stopping

    async def _stop_cameras(self, match: Match) -> Report:
        at_ns = time.monotonic_ns()
        match.ended_unix_ns = match.start_unix_ns + at_ns - match.start_monotonic_ns
        results: dict[int, dict[str, Any]] = {}

        async def stop(track: Track) -> None:
            results[track.camera.id] = await self._stop_camera(match, track, at_ns)

        async with anyio.create_task_group() as tasks:
            for track in match.tracks.values():
                tasks.start_soon(stop, track)
        match.ended_unix_ns = match.start_unix_ns + at_ns - match.start_monotonic_ns
        manifest = match.manifest("finished")
        expected = Expected(
            cameras=tuple(t.camera.name for t in match.tracks.values()),
            from_unix_ns=manifest.clock.start_unix_ns if manifest.clock else None,
            to_unix_ns=match.ended_unix_ns,
        )
        check = await check_stop(match.folder, manifest, self._prober, expected=expected)
        match.integrity = check.report.to_json()
        await self._save(match, "finished")
        report = stop_report(match, results, check.block)
        for alarm in alert.stop_alerts(report, self._settings.min_effective_fps):
            self._alerts.send(alarm)
        self._events.record(
            "recording", "stopped", str(report["message"]), match_id=match.match_id
        )
        if self._tasks is not None:
            self._tasks.start_soon(self._verify_finished, match)
        return Report(report)

    async def _stop_camera(self, match: Match, track: Track, at_ns: int) -> dict[str, Any]:
        try:
            reply = await track.camera.stop(at_ns, self._settings.stop_timeout_s)
        except (Blocked, Failed) as error:
            # The worker is gone or knows of no recording: what it wrote is on the disk; mend it here.
            await self._salvage_track(match, track)
            return {"stopped": False, "error": track.lost_reason or error.message}
        for segment in reply["segments"]:
            track.note_segment(segment, "closed")
        track.dropped_before += int(reply.get("dropped_disk") or 0)
        if self._dropped_anything(reply):
            self._alerts.send(
                alert.recording_frames_dropped(
                    match.match_id,
                    track.camera.id,
                    frames=int(reply["dropped_disk"]),
                    reason="the disk did not keep up",
                )
            )
        return {"stopped": True, **reply}

    @staticmethod
    def _dropped_anything(reply: Mapping[str, Any]) -> bool:
        return int(reply.get("dropped_disk") or 0) > 0

    async def _salvage_track(self, match: Match, track: Track) -> None:
        open_ones = {
            name
            for other in match.tracks.values()
            if other is not track
            for name, segment in other.segments.items()
            if not segment.finalized
        }
        manifest = match.manifest("recording")
        salvage = await to_thread.run_sync(
            lambda: recovery.salvage_match(match.folder, manifest, skip=open_ones)
        )
        self._take_salvage(match, salvage)

    def _take_salvage(self, match: Match, salvage: recovery.Salvage) -> None:
        by_name = {t.camera.name: t for t in match.tracks.values()}
        for segment in salvage.manifest.segments:
            track = by_name.get(segment.camera)
            if track is None or segment.fragments == 0:
                continue
            known = track.segments.get(segment.name)
            if known is None or not known.finalized:
                track.segments[segment.name] = segment
                track.next_index = max(track.next_index, segment.index + 1)
        if salvage.cut_bytes:
            self._alerts.send(alert.recording_salvaged(match.match_id, salvage.cut_bytes))
        for name, reason in salvage.failed.items():
            log.warning("%s could not be mended: %s", name, reason)
        self._unsaved.mark()

    # ------------------------------------------------------- what workers tell

    async def camera_connected(self, camera: Camera, hello: Mapping[str, Any]) -> None:
        """A worker is there. If its camera belongs to the running match, it records on."""
        running = self._running
        order = hello.get("order")
        if order is not None:
            track = running.match.tracks.get(camera.id) if running else None
            if running is None or track is None or running.match.match_id != order["match_id"]:
                return  # met at the start: `adopt` looks at all of them together
            self._take_report(track, hello["report"])
            return
        if running is None or running.match.phase != "recording":
            return
        match, track = running.match, running.match.tracks[camera.id]
        track.respawns += 1
        track.recording = False
        # The dead worker's file is mended first: it says where the gap begins.
        await self._salvage_track(match, track)
        if self._running is not running or match.phase != "recording":
            return
        track.attempts_before = 0
        await self._go_on(match, track)

    async def _go_on(self, match: Match, track: Track) -> None:
        """Record again with a new worker; the segment's event says when it does."""
        order = make_order(self._settings, match, track, resumed=True)
        try:
            reply = await track.camera.record(order, self._settings.start_timeout_s)
        except (Blocked, Failed) as error:
            log.error("%s cannot go on: %s", track.camera.name, error.message)  # noqa: TRY400
            return
        track.recording = True
        if reply["started"]:
            self._opened(match, track, reply["segment"])

    def camera_event(self, camera: Camera, event: Mapping[str, Any]) -> None:
        """Something happened to a camera of the running match."""
        self.changed.mark()
        running = self._running
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
                    self._unverified.append((match, track, event["segment"]["name"]))
            self._unsaved.mark()
        elif kind == "disk":
            self._disk_changed(match, track, event)
        elif kind == "status":
            match.take_status(track, event.get("recording"))
            self._judge(match, track)

    def _opened(self, match: Match, track: Track, segment: Mapping[str, Any]) -> None:
        was_lost, attempts, end = track.lost, track.attempts, track.end_unix_ns
        track.note_segment(segment, "opened")
        if was_lost and match.phase == "recording":
            gap_s = None if end is None else (segment["start_unix_ns"] - end) / 1e9
            self._alerts.send(
                alert.recording_camera_recovered(
                    match.match_id, track.camera.id, attempts=attempts, gap_s=gap_s
                )
            )
        self._unsaved.mark()

    def _judge(self, match: Match, track: Track) -> None:
        """Follow the camera's state: lost, and found again without a new segment."""
        if match.phase != "recording":
            return
        reason = match.lost_reason(track.camera)
        if reason is not None:
            self._lost(match, track, reason)
        elif track.lost and track.camera.state == "running" and track.started:
            age = track.camera.last_frame_age_s
            if age is not None and age < self._settings.stall_after_s and track.newest:
                # The stall ended within the same segment.
                if time.monotonic() - track.changed_at < self._settings.stall_after_s:
                    track.found_again()
                    self._unsaved.mark()

    def _lost(self, match: Match, track: Track, reason: str) -> None:
        if track.lose(reason, time.time_ns()):
            self._alerts.send(
                alert.recording_camera_lost(match.match_id, track.camera.id, reason)
            )
            self._unsaved.mark()

    def camera_lost(self, camera: Camera, reason: str) -> None:
        """The worker died; its successor is on its way."""
        self.changed.mark()
        running = self._running
        if running is not None and camera.id in running.match.tracks:
            track = running.match.tracks[camera.id]
            if running.match.phase == "recording":
                self._lost(running.match, track, f"the worker is gone: {reason}")

    def _disk_changed(self, match: Match, track: Track, event: Mapping[str, Any]) -> None:
        others = [t for t in match.tracks.values() if t is not track]
        full_before = any(t.disk == "full" for t in match.tracks.values())
        track.disk, track.disk_error = str(event["state"]), event.get("error")
        free = self._host.disk_free_bytes or 0
        if track.disk == "full" and not full_before:
            self._alerts.send(
                alert.recording_disk_full(
                    match.match_id, free_bytes=free, floor_bytes=self._settings.min_free_bytes
                )
            )
            if self._settings.delete_oldest_when_full and self._tasks is not None:
                self._tasks.start_soon(self._make_space)
        elif full_before and not any(t.disk == "full" for t in [track, *others]):
            self._alerts.send(alert.recording_disk_recovered(match.match_id, free_bytes=free))
        self._unsaved.mark()

    @staticmethod
    def _take_report(track: Track, report: Mapping[str, Any]) -> None:
        for segment in report["segments"]:
            track.note_segment(segment, "reported")
        track.recording = True

    # ------------------------------------------------------------- after a crash

    async def adopt(self, hellos: Mapping[int, Mapping[str, Any]]) -> None:
        """Go on with what was being recorded when the last server ended.

        Workers that record are taken over as they are; a match that nobody records any more is
        mended, marked as interrupted and, where that is configured and it is not too old, resumed.
        """
        interrupted = await to_thread.run_sync(recovery.interrupted_matches, self._root)
        orders = {i: h["order"] for i, h in hellos.items() if h.get("order") is not None}
        living = _most_recent({order["match_id"]: order for order in orders.values()})
        for camera_id, order in orders.items():
            if order["match_id"] != living:
                await self.cameras[camera_id].stop(
                    time.monotonic_ns(), self._settings.stop_timeout_s
                )
        manifests_by_id = {m.match_id: m for m in interrupted}
        if living is not None:
            await self._adopt_living(living, manifests_by_id.pop(living, None), hellos)
        resumable = None
        for manifest in manifests_by_id.values():
            mended = await self._mend(manifest)
            may = recovery.may_resume(manifest, max_match_s=self._settings.max_match_s)
            if self._running is None and may and self._settings.resume_after_crash:
                resumable = mended
        if resumable is not None:
            await self._resume(resumable)

    async def _adopt_living(
        self, match_id: str, before: Manifest | None, hellos: Mapping[int, Mapping[str, Any]]
    ) -> None:
        order = next(
            h["order"]
            for h in hellos.values()
            if h.get("order") and h["order"]["match_id"] == match_id
        )
        if before is None:
            folder = self._root / match_id
            before = await to_thread.run_sync(manifests.rescan, folder)
        running = self._begin(match_id, before=before, adopted=True)
        match = running.match
        # The workers' clock of the match goes on; it was never interrupted.
        match.start_monotonic_ns = order["start_monotonic_ns"]
        match.start_unix_ns = order["start_monotonic_ns"] + order["unix_minus_monotonic_ns"]
        reported: set[int] = set()
        for camera_id, hello in hellos.items():
            if hello.get("order") is not None and camera_id in match.tracks:
                self._take_report(match.tracks[camera_id], hello["report"])
                reported.add(camera_id)
        await running.started.get()
        log.warning("took over the running recording of match %s", match_id)
        self._events.record(
            "recording", "adopted", f"Took over the recording of {match_id}", match_id=match_id
        )
        for camera_id, track in match.tracks.items():
            if camera_id not in reported:
                await self._salvage_track(match, track)
                self._lost(match, track, "the worker was gone")
                if self._tasks is not None:
                    self._tasks.start_soon(self._go_on, match, track)

    async def _mend(self, manifest: Manifest) -> Manifest:
        """Finish what an interrupted match left open, and say that it was interrupted."""
        folder = self._root / manifest.match_id
        salvage = await to_thread.run_sync(recovery.salvage_match, folder, manifest)
        at_ns = recovery.last_footage_unix_ns(salvage.manifest)
        interruption = Interruption(
            at_unix_ns=at_ns, reason="the machine or the server went down", resumed=False
        )
        mended = salvage.manifest.model_copy(
            update={
                "state": "interrupted",
                "ended_unix_ns": at_ns,
                "interruptions": (*salvage.manifest.interruptions, interruption),
            }
        )
        await to_thread.run_sync(manifests.save, folder, mended)
        self._alerts.send(
            alert.recording_interrupted(
                manifest.match_id, interruption.reason, at_unix_s=at_ns / 1e9
            )
        )
        if salvage.cut_bytes:
            self._alerts.send(alert.recording_salvaged(manifest.match_id, salvage.cut_bytes))
        return mended

    async def _resume(self, before: Manifest) -> None:
        resumed = before.interruptions[-1].model_copy(update={"resumed": True})
        before = before.model_copy(
            update={
                "interruptions": (*before.interruptions[:-1], resumed),
                "ended_unix_ns": None,
            }
        )
        gap_s = time.time() - recovery.last_footage_unix_ns(before) / 1e9
        running = self._begin(before.match_id, before=before)
        report = await running.started.get()
        if report.success:
            self._alerts.send(alert.recording_resumed(before.match_id, gap_s=gap_s))
        else:
            log.error("match %s could not be resumed: %s", before.match_id, report.value["message"])

    # ------------------------------------------------------------- by itself

    async def run(self, tasks: TaskGroup) -> None:
        """Begin the loops that watch, save and verify; recordings become tasks of `tasks`."""
        self._tasks = tasks
        tasks.start_soon(self._save_on, name="manifest")
        tasks.start_soon(keep_running_named, "health probes", self._probe_once, 5.0)
        tasks.start_soon(keep_running_named, "verification", self._verify_once, 1.0)
        if self._settings.overload_guard_enabled:
            every_s = self._settings.overload_poll_s
            tasks.start_soon(keep_running_named, "overload guard", self._guard_once, every_s)

    async def close(self) -> None:
        """An orderly end finalises the recording first."""
        if self._running is not None:
            await self.stop(force=True)

    async def _save_on(self) -> None:
        """Save the manifest soon after something changed in it."""
        seen = 0
        while True:
            seen = await self._unsaved.wait(seen)
            running = self._running
            if running is not None and running.match.phase == "recording":
                try:
                    await self._save(running.match, "recording")
                except OSError as error:
                    # A full or failing disk: the segments tell the same story, and it is tried again.
                    log.warning("the manifest could not be saved: %s", error)
            await anyio.sleep(SAVE_EVERY_S)

    async def _save(self, match: Match, state: Any) -> None:
        async with self._save_lock:
            if state == "recording" and match.phase == "stopping":
                return  # the stop writes the last word
            manifest = match.manifest(state)
            await to_thread.run_sync(manifests.save, match.folder, manifest)

    async def _probe_once(self) -> None:
        running = self._running
        if running is None:
            return
        match = running.match
        for camera in self._watch.due_for_probe(time.monotonic(), self._observation()):
            if camera.segment_name is not None:
                probe = await self._prober.probe(match.segments_folder / camera.segment_name)
                match.tracks[camera.camera_id].probe = probe.to_json()

    async def _verify_once(self) -> None:
        """Read back a segment that was finished, so that a stop need not."""
        while self._unverified:
            match, track, name = self._unverified.pop(0)
            segment = track.segments.get(name)
            if segment is None or match.phase == "stopping":
                continue
            check = await to_thread.run_sync(
                lambda name=name, match=match: check_segment(match.folder, name, checksums=True)
            )
            known = track.segments.get(name)
            if known is not None and known.size_bytes == check.segment.size_bytes:
                track.segments[name] = known.model_copy(
                    update={"verified": check.segment.verified}
                )
                self._unsaved.mark()
            for fault in check.faults:
                log.error("%s: %s", match.match_id, fault)

    async def _verify_finished(self, match: Match) -> None:
        """After a stop, read every byte of what the stop only walked through, and note the result."""
        for track in match.tracks.values():
            for name, segment in list(track.segments.items()):
                if segment.verified is None:
                    check = await to_thread.run_sync(
                        lambda name=name: check_segment(match.folder, name, checksums=True)
                    )
                    track.segments[name] = segment.model_copy(
                        update={"verified": check.segment.verified}
                    )
        if not self.is_running(match.match_id) and await anyio.Path(match.folder).exists():
            await self._save(match, "finished")

    async def _guard_once(self) -> None:
        observation = self._observation()
        if observation is None:
            return
        sample = self._host.sample
        alarm = self._guard.once(
            time.time(), sample.cpu_percent if sample else None, self.health()
        )
        if alarm is not None:
            self._alerts.send(alarm)


async def keep_running_named(name: str, once: Any, every_s: float) -> None:
    """`keep_running` with positional arguments, for a task group."""
    await keep_running(name, once, every_s=every_s)


def _refusal(message: str) -> Report:
    return Report({"success": False, "message": message})


def _adopted(match: Match) -> Report:
    return Report(
        {
            "success": True,
            "message": f"Recording taken over for match: {match.match_id}",
            "match_id": match.match_id,
            "cameras_started": sorted(match.tracks),
        }
    )


def _most_recent(orders: Mapping[str, Mapping[str, Any]]) -> str | None:
    if not orders:
        return None
    return max(orders, key=lambda match_id: orders[match_id]["start_monotonic_ns"])


def _free_bytes(path: Path) -> int:
    import os

    stats = os.statvfs(path)
    return stats.f_bavail * stats.f_frsize


def _make_folders(segments: Path) -> None:
    """The match's folders, on the disk before the first file is in them."""
    segments.mkdir(parents=True, exist_ok=True)
    for folder in (segments, segments.parent, segments.parent.parent):
        manifests.sync_folder(folder)


def _remove_empty(folder: Path) -> None:
    (folder / manifests.FILE_NAME).unlink(missing_ok=True)
    for path in (folder / manifests.SEGMENTS_FOLDER, folder):
        try:
            path.rmdir()
        except OSError:
            log.warning("%s is kept: it is not empty", path)
            return
