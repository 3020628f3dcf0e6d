"""What viewers receive of a camera: a feed to the live process, and still pictures."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from touchline.ipc.feed import Feed
from touchline.ipc.tee import Tee
from touchline.worker.camera.runner import CameraRunner
from touchline.worker.camera.still import StillOutlet, still_bytes

LINGER_S = 2.0
"""Time that a camera which needs encoding runs on after its last viewer.

A returning viewer, or a recording that takes the cameras from a preview, finds it running.
"""


class FeedUnreachable(Exception):
    """No process listens at the feed's socket."""

    code = "feed_unreachable"


class Unseen(Exception):
    """No picture arrived in time."""

    code = "no_picture"


class Viewers:
    """The feed of one camera, if there is one.

    `camera` returns the camera as it is currently configured; feeds and stills need one.
    """

    def __init__(self, name: str, tee: Tee, camera: Callable[[], CameraRunner | None]) -> None:
        self._name = name
        self._tee = tee
        self._camera = camera
        self._feed: Feed | None = None
        self._loop = asyncio.get_running_loop()

    def status(self) -> dict[str, Any] | None:
        """Return the state of the feed; None without a feed."""
        return self._feed.status() if self._feed else None

    async def begin_feed(self, path: Path) -> None:
        """Send frames to the live process that listens at `path`, and to no other.

        Raises Unreachable.
        """
        await self.end_feed()
        try:
            feed = await asyncio.to_thread(
                Feed,
                path,
                self._name,
                keyframe_wanted=lambda: self._on_loop(self._request_keyframe),
                ended=lambda feed: self._on_loop(self._feed_ended, feed),
            )
        except OSError as error:
            raise FeedUnreachable(
                f"the live process cannot be reached: {error.strerror}"
            ) from error
        self._feed = feed
        camera = self._camera()
        self._tee.attach_outlet(feed, with_gop=camera is not None and camera.playing)
        self._wake()

    async def end_feed(self) -> None:
        """Stop sending frames."""
        feed, self._feed = self._feed, None
        if feed is not None:
            self._tee.take_off(feed)
            await asyncio.to_thread(feed.close)
            self._linger()

    async def still(self, path: Path, timeout_s: float) -> float:
        """Write the newest keyframe to `path` and return its age in seconds. Raises Unseen."""
        camera, taken = self._camera(), asyncio.Event()
        still = StillOutlet(lambda: self._on_loop(taken.set))
        self._tee.attach_outlet(still, with_gop=camera is not None and camera.playing)
        self._wake()
        try:
            await asyncio.wait_for(taken.wait(), timeout_s)
        except TimeoutError as error:
            reason = camera.last_error if camera is not None else None
            raise Unseen(reason or f"no frame received within {timeout_s:g} s") from error
        finally:
            self._tee.take_off(still)
            self._linger()
        frame = still.frame
        if frame is None:
            raise RuntimeError("taken without a frame")
        await asyncio.to_thread(path.write_bytes, still_bytes(frame))
        return (time.monotonic_ns() - frame.pts_ns) / 1e9

    def _wake(self) -> None:
        """Start the camera if it is idle."""
        camera = self._camera()
        if camera is not None and (not camera.wanted or camera.failed_permanently):
            camera.want(wanted=True)

    def _linger(self) -> None:
        """Keep the camera running for a moment, then stop it if it has no readers."""
        self._loop.call_later(LINGER_S, self._stop_if_unread)

    def _stop_if_unread(self) -> None:
        camera = self._camera()
        if camera is not None and not self._tee.hung:
            camera.want(wanted=False)

    def _feed_ended(self, feed: Feed) -> None:
        """Handle the loss of the live process."""
        self._tee.take_off(feed)
        if feed is self._feed:
            self._feed = None
            self._linger()

    def _request_keyframe(self) -> None:
        camera = self._camera()
        if camera is not None:
            camera.request_keyframe()

    def _on_loop(self, call: Callable[..., None], *arguments: Any) -> None:
        """Run a call on the event loop; callable from the pipeline's and the feed's thread."""
        self._loop.call_soon_threadsafe(call, *arguments)
