"""The feed that sends frames to the live process without ever delaying the camera.

It is an outlet of the tee with a queue bounded in bytes. If the live process reads too slowly, or
not at all, frames up to the next keyframe are dropped and counted; `push` never waits.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections import deque
from collections.abc import Callable
from pathlib import Path
from typing import Any

from touchline.ipc import wire
from touchline.ipc.tee import Frame
from touchline.ipc.threads import watched
from touchline.media.h264.codec import Codec

log = logging.getLogger(__name__)

LIMIT_BYTES = 8 << 20
"""A few seconds at usual bitrates. A longer queue would only hold outdated pictures."""


class Feed:
    """Sends one camera's frames to one live process until either side ends it.

    `keyframe_wanted` is called when a viewer needs a keyframe, `ended` once when the connection is
    lost without `close`; both on a thread of the feed. Raises OSError if nothing listens at `path`.
    """

    def __init__(
        self,
        path: Path,
        name: str,
        *,
        keyframe_wanted: Callable[[], None],
        ended: Callable[[Feed], None],
        limit_bytes: int = LIMIT_BYTES,
    ) -> None:
        self.frames = 0
        self.skipped = 0
        self._keyframe_wanted = keyframe_wanted
        self._ended = ended
        self._limit_bytes = limit_bytes
        self._lock = threading.Condition()
        self._queue: deque[tuple[Frame, bool, int]] = deque()
        self._queued_bytes = 0
        self._waiting_for_keyframe = True
        self._broken = False
        self._skipped_since = 0
        self._closed = False
        self._codec: Codec | None = None
        self._socket = wire.connect(path)
        self._socket.sendall(wire.encode({"camera": name, "protocol": wire.PROTOCOL}))
        self._threads = [
            watched(
                target,
                name=target.__name__.strip("_"),
                died=lambda error: self._lost(f"internal error: {error!r}"),
            )
            for target in (self._send_frames, self._read_requests)
        ]
        for thread in self._threads:
            thread.start()

    def push(self, frame: Frame) -> None:
        """Queue a frame, or drop it (on the pipeline's thread)."""
        with self._lock:
            if self._closed:
                return
            if self._waiting_for_keyframe and not frame.keyframe:
                self._skip()
                return
            if self._queue and self._queued_bytes + len(frame.data) > self._limit_bytes:
                self._waiting_for_keyframe = True
                self._skip()
                return
            self._waiting_for_keyframe = False
            self._queue.append((frame, self._broken, self._skipped_since))
            self._queued_bytes += len(frame.data)
            self._broken, self._skipped_since = False, 0
            self._lock.notify()

    def _skip(self) -> None:
        # Frames before the very first keyframe cannot be decoded and are not counted.
        if self.frames or self._queue:
            self.skipped += 1
            self._skipped_since += 1

    def interrupted(self, reason: str) -> None:
        """Drop frames up to the next keyframe, because the camera was interrupted."""
        del reason
        with self._lock:
            self._broken = self._waiting_for_keyframe = True

    def close(self) -> None:
        """Close the connection without sending the queue. Returns once the threads have ended."""
        self._shut_down()
        for thread in self._threads:
            if thread is not threading.current_thread():
                thread.join(2)

    def status(self) -> dict[str, Any]:
        """Return the counters for the worker's status."""
        return {
            "frames": self.frames,
            "skipped": self.skipped,
            "queued_bytes": self._queued_bytes,
        }

    # ------------------------------------------------------------ on the feed's threads

    def _send_frames(self) -> None:
        try:
            while True:
                with self._lock:
                    while not self._queue and not self._closed:
                        self._lock.wait()
                    if self._closed:
                        return
                    frame, broken, skipped = self._queue[0]
                self._socket.sendall(self._head(frame, broken=broken, skipped=skipped))
                self._socket.sendall(frame.data)
                with self._lock:
                    self._queue.popleft()
                    self._queued_bytes -= len(frame.data)
                    self.frames += 1
        except OSError as error:
            self._lost(str(error))

    def _head(self, frame: Frame, *, broken: bool, skipped: int) -> bytes:
        changed = frame.codec != self._codec
        self._codec = frame.codec
        return wire.encode_feed_head(
            wire.FeedHead(
                pts_ns=frame.pts_ns,
                dts_ns=frame.dts_ns,
                duration_ns=frame.duration_ns,
                keyframe=frame.keyframe,
                broken=broken,
                skipped=skipped,
                data_bytes=len(frame.data),
                codec=frame.codec if changed else None,
            )
        )

    def _read_requests(self) -> None:
        try:
            while self._socket.recv(64):  # several requests at once need only one keyframe
                self._keyframe_wanted()
        except OSError as error:
            self._lost(str(error))
        else:
            self._lost("the live process closed it")

    def _lost(self, reason: str) -> None:
        if self._shut_down():
            log.info("the feed ended: %s", reason)
            self._ended(self)

    def _shut_down(self) -> bool:
        """Close the connection; return whether this call was the first to do so."""
        with self._lock:
            first, self._closed = not self._closed, True
            self._lock.notify_all()
        if first:
            try:
                self._socket.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                log.debug("the feed's connection was already closed: %s", error)
            self._socket.close()
        return first
