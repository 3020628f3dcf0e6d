"""The worker's logic: serves requests for one camera, and also records without a server."""

from __future__ import annotations

import asyncio
import contextlib
import logging
import os
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import gi

gi.require_version("Gst", "1.0")

from touchline.ipc import wire
from touchline.ipc.control import ControlServer, Problem
from touchline.ipc.listening import ListeningClock
from touchline.ipc.tee import Tee
from touchline.worker.camera.runner import CameraRunner, Wedged, wait_for_event
from touchline.worker.camera.viewers import FeedUnreachable, Unseen, Viewers
from touchline.worker.pipeline.elements import available
from touchline.worker.recording.recorder import CameraRecorder
from touchline.worker.recording.synctimes import SyncTimes

log = logging.getLogger("touchline.worker")

STATUS_S = 0.5
MIND_S = 0.1
"""Interval for checking the writer and its disk."""

EXIT_WEDGED = 70
_LOOK_S = 0.1
_DRAIN_S = 1.0
"""Maximum time that a stop waits for the last frames captured before it to arrive."""


@contextlib.contextmanager
def _refuse_malformed() -> Iterator[None]:
    try:
        yield
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise Problem("bad_request", f"malformed request: {error!r}") from error


class Worker:
    """The server of requests for one camera."""

    def __init__(self, name: str, *, idle_leave_s: float) -> None:
        self.name = name
        self._idle_leave_s = idle_leave_s
        self.tee = Tee()
        self.camera: CameraRunner | None = None
        self.spec: wire.PipelineSpec | None = None
        self.recorder: CameraRecorder | None = None
        self.sync_times = SyncTimes()
        self.viewers = Viewers(name, self.tee, lambda: self.camera)
        self.leave = asyncio.Event()
        self._exit_status = 0
        self._camera_task: asyncio.Task[None] | None = None
        self.control = ControlServer(
            self._do, alone=self._note_disconnected, error_code="worker_error", gives_up=False
        )
        self._loop = asyncio.get_running_loop()
        self._changed = asyncio.Event()
        self._listened_s = ListeningClock(slice_s=2 * STATUS_S)
        self._alone_since_s = self._listened_s()
        self._stopping: asyncio.Future[dict[str, Any]] | None = None
        self._decided = asyncio.Event()
        """Whether footage of the recording has reached the disk, or its writer failed before."""

    def notify(self, message: dict[str, Any]) -> None:
        """Send a message to every connected server; from any thread."""
        self._loop.call_soon_threadsafe(self._send, message)

    def _send(self, message: dict[str, Any]) -> None:
        if message.get("change") == "opened" or message.get("event") == "writer_failed":
            self._decided.set()
        if message.get("event") != "status":
            self._changed.set()
        self.control.notify(message)

    # -------------------------------------------------------------- requests

    async def _do(self, message: dict[str, Any]) -> dict[str, Any]:  # noqa: PLR0911  (a switch)
        what = message.get("do")
        if what == "hello":
            with _refuse_malformed():
                names = wire.names_from_json(message.get("elements", wire.PROBED_ELEMENTS))
            return self.hello(names)
        if what == "status":
            return self.status()
        if what == "configure":
            with _refuse_malformed():
                spec = wire.spec_from_json(message["spec"])
            return await self._configure(spec)
        if what == "record":
            with _refuse_malformed():
                order = wire.order_from_json(message["order"])
                timeout_s = float(message.get("wait_s", 10))
            return await self._record(order, timeout_s)
        if what == "stop":
            with _refuse_malformed():
                at_ns, timeout_s = int(message["at_ns"]), float(message.get("wait_s", 8))
            return await self._stop(at_ns, timeout_s)
        if what in {"feed", "unfeed", "still"}:
            return await self._show(what, message)
        if what == "quit":
            self.leave.set()
            return {}
        raise Problem("unknown_request", f"unknown request {what!r}")

    def hello(self, elements: Sequence[str]) -> dict[str, Any]:
        """Return identity and activity of the worker: all that an adopting server needs.

        The reply names those of the `elements` that can be used here.
        """
        recorder = self.recorder
        return {
            "protocol": wire.PROTOCOL,
            "name": self.name,
            "pid": os.getpid(),
            "elements": available(elements),
            "parts": list(wire.PARTS),
            "spec": wire.spec_to_json(self.spec) if self.spec else None,
            "order": wire.order_to_json(recorder.order) if recorder else None,
            "report": recorder.report() if recorder else None,
        }

    def status(self) -> dict[str, Any]:
        """Return the current state of the camera and the recording."""
        return {
            "camera": self.camera.status() if self.camera else None,
            "recording": self.recorder.status() if self.recorder else None,
            "sync": self.sync_times.to_json(),
            "feed": self.viewers.status(),
        }

    async def _configure(self, spec: wire.PipelineSpec) -> dict[str, Any]:
        if spec == self.spec:
            return {}
        if self.recorder is not None:
            raise Problem("recording", "the camera cannot be changed during a recording")
        await self._end_camera()
        self.spec = spec
        self.camera = CameraRunner(spec, self.tee, changed=self._changed.set)
        self.camera.want(wanted=self.tee.hung)
        self._camera_task = asyncio.create_task(self._run_camera(self.camera))
        return {}

    async def _run_camera(self, camera: CameraRunner) -> None:
        try:
            await camera.run()
        except Wedged as error:
            log.error("%s; this worker exits so that a new one can take over", error)
            self._exit_status = EXIT_WEDGED
            self.leave.set()
        except Exception:
            log.exception(
                "the camera loop failed; this worker exits so that a new one can take over"
            )
            self._exit_status = EXIT_WEDGED
            self.leave.set()

    async def _end_camera(self) -> None:
        task, self._camera_task = self._camera_task, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        self.camera = None

    async def _record(self, order: wire.RecordOrder, timeout_s: float) -> dict[str, Any]:
        """Start recording; answer when the first frame is on disk, or when none can arrive."""
        camera = self._require_camera()
        if self.recorder is not None:
            raise Problem(
                "recording", f"the camera is already recording {self.recorder.order.match_id}"
            )
        self._decided.clear()
        recorder = self.recorder = CameraRecorder(
            order, notify=self.notify, sync_times=self.sync_times
        )
        playing = camera.playing
        if playing or camera.spec.keep_running:
            # A running camera, copied or shown, begins with the keyframe before the start,
            # and a copied stream begins when its camera sends a keyframe.
            recorder.begin_with_past()
        self.tee.attach_outlet(recorder, with_gop=playing)
        refusals = camera.refusals
        camera.want(wanted=True, not_before_ns=order.start_monotonic_ns, at_once=True)
        await self._decision(timeout_s, lambda: camera.refusals > refusals)
        segments = recorder.report()["segments"]
        if not recorder.started or not segments:
            return {
                "started": False,
                "error": self._explain_not_started(camera, recorder, timeout_s),
            }
        return {"started": True, "segment": segments[0]}

    async def _decision(self, timeout_s: float, refused: Callable[[], bool]) -> None:
        """Wait for the result of the start, at most until the camera refuses the session.

        Pauses of this process do not count: a frame that arrived meanwhile has not been read.
        """
        waited_s = ListeningClock(slice_s=2 * _LOOK_S)
        while not self._decided.is_set() and not refused():
            left_s = timeout_s - waited_s()
            if left_s <= 0:
                return
            await wait_for_event(self._decided, min(left_s, _LOOK_S))

    @staticmethod
    def _explain_not_started(
        camera: CameraRunner, recorder: CameraRecorder, timeout_s: float
    ) -> str:
        if recorder.fault:
            return recorder.fault
        if camera.last_error:
            return camera.last_error
        return f"no keyframe received from the camera within {timeout_s:g} s"

    async def _stop(self, at_ns: int, timeout_s: float) -> dict[str, Any]:
        """End the recording at an instant; a repeated request gets the first one's answer."""
        if self.recorder is None and self._stopping is None:
            raise Problem("not_recording", "the camera is not recording")
        if self._stopping is None:
            self._stopping = asyncio.ensure_future(self._stop_once(at_ns, timeout_s))
        stopping = self._stopping
        try:
            return await asyncio.shield(stopping)
        finally:
            if stopping.done():
                self._stopping = None

    async def _stop_once(self, at_ns: int, timeout_s: float) -> dict[str, Any]:
        recorder, camera = self.recorder, self.camera
        if recorder is None or camera is None:
            raise RuntimeError("stopping without a recording")
        recorder.end_at(at_ns)
        drained_s = ListeningClock(slice_s=_LOOK_S)
        while not recorder.end_reached.is_set() and drained_s() < min(_DRAIN_S, timeout_s):
            if not camera.playing:
                break  # no more frames will arrive
            await asyncio.sleep(0.005)
        reached = recorder.end_reached.is_set()
        self.tee.take_off(recorder)
        report = await asyncio.to_thread(recorder.close, timeout_s)
        report["eos_received"] = reached or not report["timed_out"]
        report["camera"] = camera.status()
        self.recorder = None
        camera.want(wanted=self.tee.hung)
        return report

    async def _show(self, what: str, message: dict[str, Any]) -> dict[str, Any]:
        """Carry out a viewer request; recordings are not affected."""
        if what == "unfeed":
            await self.viewers.end_feed()
            return {}
        self._require_camera()
        path = Path(message["path"])
        try:
            if what == "feed":
                await self.viewers.begin_feed(path)
                return {}
            age_s = await self.viewers.still(path, float(message.get("wait_s", 5)))
        except (FeedUnreachable, Unseen) as error:
            raise Problem(error.code, str(error)) from error
        return {"age_s": round(age_s, 3)}

    def _require_camera(self) -> CameraRunner:
        if self.camera is None:
            raise Problem("not_configured", "the camera has not been configured")
        return self.camera

    # -------------------------------------------------------------- background tasks

    async def send_status(self) -> None:
        """Send the status twice a second, and immediately after a change."""
        while True:
            await wait_for_event(self._changed, STATUS_S)
            self._changed.clear()
            recorder = self.recorder
            if recorder is not None:
                stale_ns = int(2e9 * recorder.order.fragment_s)
                recorder.flush_older_than(stale_ns)
            self._send(wire.event("status", **self.status()))
            await self._check_abandoned()

    async def monitor_recorder(self) -> None:
        """Monitor the recording's writer and its disk."""
        while True:
            await asyncio.sleep(MIND_S)
            if self.recorder is not None:
                self.recorder.monitor_writer()

    async def _note_disconnected(self) -> None:
        self._alone_since_s = self._listened_s()

    async def _check_abandoned(self) -> None:
        """End work that would otherwise continue forever without a server."""
        if self.control.connected:
            return
        recorder = self.recorder
        if recorder is None:
            if self._listened_s() - self._alone_since_s > self._idle_leave_s:
                log.info("no server for %g s: exiting", self._idle_leave_s)
                self.leave.set()
            return
        age_s = (time.monotonic_ns() - recorder.order.start_monotonic_ns) / 1e9
        if age_s > recorder.order.max_match_s or recorder.disk_state == "full":
            log.warning(
                "no server, and the recording is %g s old or the disk is full: stopping", age_s
            )
            self.leave.set()

    async def finish(self) -> int:
        """Finish the recording, tear the pipeline down and return the exit status."""
        if self.recorder is not None:
            await self._stop(time.monotonic_ns(), 30.0)
        await self.viewers.end_feed()
        with contextlib.suppress(Wedged):
            await self._end_camera()
        return self._exit_status
