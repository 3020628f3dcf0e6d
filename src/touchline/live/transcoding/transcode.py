"""Choice of a camera's stream for viewers: its own frames, or a transcode if they cannot be shown.

WebRTC shows pictures in the order of arrival, so a camera with B-frames cannot be passed on
unchanged; HLS players must be able to start at every keyframe (`frames/joining.py`). Such a camera
is transcoded by a separate process for all its viewers (`__main__.py`), from the first viewer until
some seconds after the last. A failure affects nothing else: viewers get the camera's own frames
meanwhile, over WebRTC without those that no other depends on.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import sys
import time
from collections.abc import Callable
from typing import Any, Literal

from touchline.backoff import RetryPauses
from touchline.ipc import wire
from touchline.live.frames.stream import CameraStream
from touchline.live.transcoding.process import TranscodeFailed, TranscoderProcess

log = logging.getLogger(__name__)

LINGER_S = 5.0
"""Time that a transcode continues without a viewer."""
SETTLE_S = 4.0
"""How long a viewer waits for a transcode that is being started."""
PAUSES = RetryPauses(first_s=1.0, longest_s=60.0, stable_s=60.0)
"""Pauses before a transcode that failed is tried again."""
BASELINE = b"\x42\xc0\x1f"
"""Profile and level of the transcoded stream, as named in an answer."""
_LOOK_S = 0.25
State = Literal["starting", "running", "failed"]


class CameraTranscode:
    """Stream of one camera for its viewers: `current` is its own frames or the transcode.

    `join` and `leave` count viewers.
    """

    def __init__(
        self,
        source: CameraStream,
        changed: Callable[[CameraTranscode], None],
        admit: Callable[[], str | None],
        *,
        command: tuple[str, ...] = (sys.executable, "-m", "touchline.live.transcoding"),
        linger_s: float = LINGER_S,
    ) -> None:
        self.source = source
        self.name = source.name
        self.own = CameraStream(source.name)
        self.current = source
        self.state: State | None = None
        """None while viewers receive the camera's own frames."""
        self.error: str | None = None
        self.failures = 0
        self.viewers = 0
        """Number of viewers over WebRTC."""
        self.over_hls = False
        """Whether HLS shows the transcode."""
        self._process: TranscoderProcess | None = None
        self._command = command
        self._linger_s = linger_s
        self._changed = changed
        self._admit = admit
        self._change = asyncio.Event()
        self._task: asyncio.Task[None] | None = None
        self._left_at_s = 0.0
        source.when_order_changes(self._wake)

    @property
    def pid(self) -> int | None:
        """Process id of the transcoder, if there is one."""
        return self._process.pid if self._process is not None else None

    @property
    def has_process(self) -> bool:
        """Whether a transcoder runs or is being started."""
        return self._process is not None

    # ---------------------------------------------------------------- viewers

    @property
    def profile(self) -> bytes | None:
        """Profile, flags and level of the viewers' stream; None until they are known."""
        if self.source.reorders and self.state != "failed":
            return BASELINE
        codec = self.source.codec
        return codec.avcc[1:4] if codec is not None and len(codec.avcc) > 4 else None

    def request_keyframe(self) -> None:
        """Request a keyframe of the stream that viewers receive."""
        self.current.request_keyframe()

    def join(self) -> None:
        """Count a viewer; the first one starts the transcode if the camera reorders."""
        self.viewers += 1
        self._begin()

    def leave(self) -> None:
        """Count the departure of a viewer."""
        self.viewers -= 1
        self._left_at_s = time.monotonic()
        self._wake()

    def show_over_hls(self, wanted: bool) -> None:  # noqa: FBT001  (sets a state)
        """Set whether HLS shows the transcode."""
        if wanted is self.over_hls:
            return
        self.over_hls = wanted
        if wanted:
            self._begin()
        else:
            self._left_at_s = time.monotonic()
            self._wake()

    def _begin(self) -> None:
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._run())
        self._wake()

    async def settled(self) -> None:
        """Wait, for a limited time, until the stream to send is known."""
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self.decided(), SETTLE_S)

    async def decided(self) -> None:
        """Wait until the stream to send is known: the camera's own frames or the transcode."""
        while self._is_unsettled:
            await self._change.wait()

    @property
    def _is_unsettled(self) -> bool:
        if self.state == "failed" or not self.source.reorders:
            return False
        return self.current is self.source

    @property
    def reason(self) -> str:
        """Reason why the camera's own frames are not sent."""
        return wire.REORDERS if self.source.joinable else wire.UNJOINABLE

    def status(self) -> dict[str, Any]:
        """Return the transcode's state for the server."""
        codec = self.own.codec
        return {
            "state": self.state,
            "reason": self.reason,
            "error": self.error,
            "viewers": self.viewers,
            "over_hls": self.over_hls,
            "failures": self.failures,
            "frames": self.own.frames,
            "width": codec.width if codec else None,
            "height": codec.height if codec else None,
            "pid": self.pid,
        }

    async def close(self) -> None:
        """End the transcode; return when its process has exited."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.gather(self._task, return_exceptions=True)

    def _wake(self) -> None:
        """Wake all tasks that wait for a change."""
        change, self._change = self._change, asyncio.Event()
        change.set()

    # ------------------------------------------------------------------- lifecycle

    @property
    def _is_watched(self) -> bool:
        return self.viewers > 0 or self.over_hls

    @property
    def _is_wanted(self) -> bool:
        lingers = time.monotonic() - self._left_at_s < self._linger_s
        return (self._is_watched or lingers) and self.source.reorders and self.source.fed

    async def _run(self) -> None:
        """Transcode while that is wanted; end when the last viewer has been gone for a while."""
        failures = 0
        try:
            while self._is_watched or self._is_wanted:
                if not self._is_wanted:
                    self._set_state(None)
                    await self._wait(1.0)
                    continue
                began_s = time.monotonic()
                try:
                    if (full := self._admit()) is not None:
                        raise TranscodeFailed(full)
                    await self._transcode()
                except TranscodeFailed as failed:
                    failures = PAUSES.failures(failures, time.monotonic() - began_s)
                    pause_s = PAUSES.pause_s(failures)
                    self._fail(str(failed), pause_s)
                    await self._wait_out(pause_s)
        finally:
            self._set_state(None)

    async def _wait(self, seconds: float) -> None:
        with contextlib.suppress(TimeoutError):
            await asyncio.wait_for(self._change.wait(), seconds)

    async def _wait_out(self, pause_s: float) -> None:
        """Wait before another attempt, unless the transcode is no longer wanted."""
        until_s = time.monotonic() + pause_s
        while self._is_wanted and time.monotonic() < until_s:
            await self._wait(min(_LOOK_S, pause_s))

    def _fail(self, reason: str, pause_s: float) -> None:
        self.failures += 1
        log.error(
            "%s cannot be transcoded: %s; viewers receive the original frames, next"
            " attempt in %g s",
            self.name,
            reason,
            pause_s,
        )
        self._set_state("failed", reason)

    def _set_state(self, state: State | None, error: str | None = None) -> None:
        if (state, error) != (self.state, self.error):
            self.state, self.error = state, error
            self._changed(self)
            self._wake()

    async def _transcode(self) -> None:
        """Run one process until it is no longer wanted. Raises TranscodeFailed."""
        self._set_state("starting")
        self._process = TranscoderProcess(
            self.source,
            self.own,
            self._command,
            is_wanted=lambda: self._is_wanted,
            is_watched=lambda: self._is_watched,
            pictures_come=self._show_own,
        )
        try:
            await self._process.run()
        finally:
            self._show_source()
            self._process = None

    def _show_own(self) -> None:
        if self.current is self.source:
            self.current = self.own
            self._set_state("running")

    def _show_source(self) -> None:
        if self.current is not self.source:
            self.current = self.source
        self.own.close_subscriptions()
