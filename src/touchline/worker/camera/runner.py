"""Operation of one camera: its pipeline runs while its frames are needed.

A pipeline that fails, ends or stalls is torn down and rebuilt after a pause that grows from 100 ms
to the configured limit, either without limit or up to the configured number of consecutive
attempts. A camera that refuses the session (wrong password, too many clients) is contacted at
growing intervals, because many lock an account after a few attempts; the start of a recording makes
one attempt immediately. Runs on the worker's event loop; pipelines report from their own threads.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from touchline.ipc.tee import Frame, Tee
from touchline.ipc.wire import PipelineSpec
from touchline.worker.awakeclock import AwakeClock
from touchline.worker.network.camera import RtspCamera
from touchline.worker.network.refusals import Refusals
from touchline.worker.pipeline.elements import BuildError
from touchline.worker.pipeline.pipeline import Pipeline
from touchline.worker.rtsp.errors import CameraRefusal
from touchline.worker.rtsp.session import SessionMemory

log = logging.getLogger(__name__)

_LOOK_S = 0.1
_PAUSED_S = 0.5
"""An interval this long between two checks is a pause of this process, not of the camera."""
_LATE_NS = 250_000_000
"""A check that is later than this follows a pause of this process."""
_FIRST_PAUSE_S = 0.1
_ATTEMPT_S = 2.0
"""Time without data after which an attempt to reconnect fails; every fourth gets longer."""
_RECONNECT_STALL_S = 2.0
"""Time that a stalled stream has to continue by itself before it is reopened."""
_STARVED_S = 10.0
"""An encoder that receives pictures and delivers none for this long is broken, not slow."""
_TEARDOWN_S = 5.0
_RATE_WINDOW_NS = 2_000_000_000


class Wedged(Exception):
    """A pipeline could not be torn down; only ending the process helps."""


def pause_s(failures: int, longest_s: float) -> float:
    """Return how long to wait after this many consecutive failures."""
    doublings = min(failures - 1, 30)  # a camera may be absent for days; keeps the power finite
    return min(_FIRST_PAUSE_S * (1 << doublings), longest_s)


async def wait_for_event(event: asyncio.Event, within_s: float) -> bool:
    """Return whether the event is set within the timeout.

    Before Python 3.12, `asyncio.wait_for` may swallow a cancellation that coincides with the event,
    and the cancelled task would never end.
    """
    waiting = asyncio.ensure_future(event.wait())
    try:
        await asyncio.wait({waiting}, timeout=within_s)
    finally:
        waiting.cancel()
    return event.is_set()


class CameraRunner:
    """One camera. `wanted` is set while frames are needed; counters last for the worker's life."""

    def __init__(self, spec: PipelineSpec, tee: Tee, *, changed: Callable[[], None]) -> None:
        self.spec = spec
        self._tee = tee
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._pipeline: Pipeline | RtspCamera | None = None
        self._memory = SessionMemory()
        self._refusals = Refusals()
        self._ended: asyncio.Event = asyncio.Event()
        self._end_reason = ""
        self._want_changed = asyncio.Event()
        self.wanted = spec.keep_running
        self.start_not_before_ns = 0
        self.state = "stopped"
        self.attempts = 0
        self.recovering = False
        self.failed_permanently = False
        self.last_error: str | None = None
        self.last_recovery_unix: float | None = None
        self.warnings = 0
        self.last_warning: str | None = None
        self.frames = 0
        self.lost_at_source = 0
        self._queue_overruns = 0
        self._source_skipped = 0
        self._lost = 0
        self._awake_ns = AwakeClock(look_ns=_LATE_NS)
        self._last_frame_awake_ns: int | None = None
        self._recent: deque[tuple[int, int]] = deque(maxlen=600)
        self._last_dts_ns: int | None = None
        self._interval_ns = 0.0
        self._together = 0
        self.transcoded = False
        self.source_format: str | None = None
        self.size: tuple[int, int] | None = None

    @property
    def refusals(self) -> int:
        """Number of refusals by the camera: user, password or number of clients."""
        return self._refusals.count

    @property
    def playing(self) -> bool:
        """Whether frames are arriving, and arriving continuously."""
        pipeline = self._pipeline
        return (
            pipeline is not None
            and pipeline.frames > 0
            and self.wanted
            # The first frames arrive slightly before the state changes.
            and self.state in {"starting", "running"}
        )

    def want(self, *, wanted: bool, not_before_ns: int = 0, at_once: bool = False) -> None:
        """Start or stop the camera; a change takes effect immediately.

        A camera that recently refused the session is still left alone for its pause, unless
        `at_once` is set.
        """
        self.wanted = wanted or self.spec.keep_running
        self.start_not_before_ns = not_before_ns
        if wanted:
            self.failed_permanently = False
        if at_once:
            self._refusals.ask_at_once()
        self._want_changed.set()

    def request_keyframe(self) -> None:
        """Request a keyframe from the running pipeline's encoder, if it has one."""
        if self._pipeline is not None:
            self._pipeline.request_keyframe()

    async def run(self) -> None:
        """Operate the camera until cancelled. Raises Wedged if a pipeline cannot be torn down."""
        failures = 0
        while True:
            if not self.wanted or self.failed_permanently:
                self._set_state("error" if self.failed_permanently else "stopped")
                self._want_changed.clear()
                await self._want_changed.wait()
                failures = 0
                continue
            if await self._wait_after_refusal():
                continue
            delivered, reason, refusal = await self._run_once(failures)
            if delivered:
                self._refusals.forget()
            if reason is None:
                failures = 0
                continue
            failures = 1 if delivered else failures + 1
            if refusal is not None:
                signed_in = self._memory.signed_in
                reason = self._refusals.note(reason, refusal, signed_in=signed_in)
            self._note_failure(reason)
            limit = self.spec.retry_limit
            if limit is not None and failures > limit:
                self.failed_permanently, self.recovering = True, False
                continue
            self._set_state("retrying")
            if refusal is not None:
                continue
            pause = pause_s(failures, self.spec.retry_pause_max_s)
            self._want_changed.clear()
            if not await wait_for_event(self._want_changed, pause):
                self.attempts += 1
                self.last_recovery_unix = time.time()

    async def _wait_after_refusal(self) -> bool:
        """Wait if the camera recently refused the session; return whether that took this turn."""
        left_s = self._refusals.left_s
        if not left_s:
            if self._refusals.in_a_row:
                self.attempts += 1
                self.last_recovery_unix = time.time()
            return False
        self._set_state("retrying")
        self._want_changed.clear()
        await wait_for_event(self._want_changed, left_s)
        return True

    def _note_failure(self, reason: str) -> None:
        self.last_error = reason
        self.recovering = True
        log.warning("camera lost: %s", reason)
        self._tee.interrupted(reason)
        self._last_dts_ns = None
        self._changed()

    def _make(self) -> Pipeline | RtspCamera:
        if self.spec.rtsp is None:
            return Pipeline(
                self.spec, on_frame=self._frame, on_end=self._on_end, on_warning=self._on_warning
            )
        return RtspCamera(
            self.spec,
            self._memory,
            on_frame=self._frame,
            on_end=self._on_end,
            on_warning=self._on_warning,
        )

    async def _run_once(self, failures: int) -> tuple[bool, str | None, CameraRefusal | None]:
        """Run one pipeline; return whether it delivered, why it failed, and whether it was refused.

        The reason is None if the pipeline is no longer needed.
        """
        self._ended.clear()
        self._last_dts_ns = None
        self._set_state("starting")
        pipeline: Pipeline | RtspCamera | None = None
        try:
            pipeline = self._make()
            await self._start(pipeline)
        except BuildError as error:
            if pipeline is not None:
                await self._stop(pipeline)
            return False, str(error), None
        self._pipeline = pipeline
        try:
            reason = await self._watch(pipeline, failures)
        finally:
            self._pipeline = None
            await self._stop(pipeline)
        refusal = pipeline.refusal if isinstance(pipeline, RtspCamera) else None
        return pipeline.frames > 0, reason, refusal

    async def _start(self, pipeline: Pipeline | RtspCamera) -> None:
        """Start a pipeline; if cancelled meanwhile, tear it down again. Raises BuildError."""
        starting = asyncio.ensure_future(
            asyncio.to_thread(pipeline.start, self.start_not_before_ns)
        )
        try:
            await asyncio.shield(starting)
        except asyncio.CancelledError:
            done, _ = await asyncio.wait({starting}, timeout=_TEARDOWN_S)
            if not done:
                raise Wedged(f"the pipeline was still starting after {_TEARDOWN_S:g} s") from None
            if starting.exception() is None:
                await self._stop(pipeline)
            raise

    async def _watch(self, pipeline: Pipeline | RtspCamera, failures: int) -> str | None:
        started = time.monotonic()
        patient = failures == 0 or failures % 4 == 0
        attempt_s = self.spec.start_timeout_s if patient else _ATTEMPT_S
        stall_s = max(self.spec.stall_after_s, _RECONNECT_STALL_S)
        looked_ns = paused_until_ns = 0
        while self.wanted:
            if await wait_for_event(self._ended, _LOOK_S):
                return self._end_reason
            self._copy_properties(pipeline)
            now_ns = time.monotonic_ns()
            self._awake_ns()
            if looked_ns and now_ns - looked_ns > _PAUSED_S * 1e9:
                # Data that arrived meanwhile waits in a socket; read it before judging.
                paused_until_ns, started = now_ns, max(started, now_ns / 1e9 - _LOOK_S)
            looked_ns = now_ns
            age_s = (now_ns - max(pipeline.last_frame_ns, paused_until_ns)) / 1e9
            # A starved encoder is slow, not lost: opening its camera again would cost more footage.
            silent_s = min(age_s, (now_ns - max(pipeline.last_raw_ns, paused_until_ns)) / 1e9)
            if not pipeline.frames:
                waited = time.monotonic() - started
                if not pipeline.data_seen and waited > attempt_s:
                    return f"no data received from the camera for {waited:.1f} s"
                if waited > self.spec.start_timeout_s:
                    return f"no frame received from the camera for {waited:.1f} s"
            elif silent_s > stall_s or age_s > _STARVED_S:
                return f"no frame received from the camera for {age_s:.1f} s"
            elif age_s > self.spec.stall_after_s:
                self.last_error = f"no frame for {age_s:.1f} s"
                self._set_state("stalled")
            elif self.state != "running":
                self.recovering = False
                self._set_state("running")
        return None

    async def _stop(self, pipeline: Pipeline | RtspCamera) -> None:
        self._copy_properties(pipeline)
        self._queue_overruns += pipeline.queue_overruns
        self._source_skipped += pipeline.source_skipped
        self._lost += _lost(pipeline)
        stopping = asyncio.ensure_future(asyncio.to_thread(pipeline.stop))
        done, _ = await asyncio.wait({stopping}, timeout=_TEARDOWN_S)
        if not done:
            raise Wedged(f"the pipeline did not stop within {_TEARDOWN_S:g} s")
        stopping.result()

    def _copy_properties(self, pipeline: Pipeline | RtspCamera) -> None:
        if pipeline.frames:
            self.transcoded, self.source_format = pipeline.transcoded, pipeline.source_format
            if pipeline.codec is not None:
                self.size = (pipeline.codec.width, pipeline.codec.height)

    def _set_state(self, state: str) -> None:
        if state != self.state:
            self.state = state
            self._changed()

    # ------------------------------------------------ called on the pipeline's threads

    def _frame(self, frame: Frame) -> None:
        self.frames += 1
        now = time.monotonic_ns()
        self._last_frame_awake_ns = self._awake_ns()
        self._recent.append((now, len(frame.data)))
        if self.spec.rtsp is None:  # a network camera's packets say themselves what is missing
            self._count_lost(frame.dts_ns)
        self._tee.push(frame)

    def _count_lost(self, dts_ns: int) -> None:
        """Count missing frames: timestamps more than 1.75 usual intervals apart.

        If a camera sends B-frames without decode times, these follow their reference frame without
        an interval; each of them accounts for one of the intervals that follow.
        """
        last, self._last_dts_ns = self._last_dts_ns, dts_ns
        if last is None:
            self._together = 0
            return
        step = dts_ns - last
        if step < max(self._interval_ns / 4, 1_000_000):
            self._together += 1
            return
        frames, self._together = self._together + 1, 0
        if self._interval_ns and step > 1.75 * self._interval_ns * frames:
            self.lost_at_source += round(step / self._interval_ns) - frames
            return
        weight = 0.05 if self._interval_ns else 1
        self._interval_ns += (step / frames - self._interval_ns) * weight

    def _on_end(self, reason: str) -> None:
        def end() -> None:
            self._end_reason = reason
            self._ended.set()

        self._loop.call_soon_threadsafe(end)

    def _on_warning(self, text: str) -> None:
        self.warnings += 1
        self.last_warning = text
        log.warning("pipeline: %s", text)

    # ------------------------------------------------------------------ status

    def _last_frame_age_s(self) -> float | None:
        """Return the seconds since the last frame, without the time this process was suspended."""
        came_ns = self._last_frame_awake_ns
        return None if came_ns is None else round((self._awake_ns() - came_ns) / 1e9, 3)

    def status(self) -> dict[str, Any]:
        """Return the state that is sent to the server twice a second."""
        now = time.monotonic_ns()
        recent = [(at, size) for at, size in self._recent.copy() if now - at < _RATE_WINDOW_NS]
        span_s = (recent[-1][0] - recent[0][0]) / 1e9 if len(recent) > 1 else 0.0
        pipeline = self._pipeline
        overruns = self._queue_overruns + (pipeline.queue_overruns if pipeline else 0)
        skipped = self._source_skipped + (pipeline.source_skipped if pipeline else 0)
        lost = self._lost + _lost(pipeline)
        return {
            "state": self.state,
            "frames": self.frames,
            "fps": round((len(recent) - 1) / span_s, 2) if span_s else 0.0,
            "bitrate_bps": round(sum(s for _, s in recent[1:]) * 8 / span_s) if span_s else 0,
            "last_frame_age_s": self._last_frame_age_s(),
            "dropped": {"source": max(self.lost_at_source, skipped, lost), "queue": overruns},
            "warnings": self.warnings,
            "last_warning": self.last_warning,
            "last_error": self.last_error,
            "retry_in_s": round(self._refusals.left_s, 1) or None,
            "attempts": self.attempts,
            "recovering": self.recovering,
            "failed_permanently": self.failed_permanently,
            "last_recovery_unix": self.last_recovery_unix,
            "transcoded": self.transcoded,
            "source_format": self.source_format,
            "width": self.size[0] if self.size else None,
            "height": self.size[1] if self.size else None,
        }


def _lost(pipeline: Pipeline | RtspCamera | None) -> int:
    """Return the number of frames that a network camera's packets show to be missing."""
    return pipeline.lost if isinstance(pipeline, RtspCamera) else 0
