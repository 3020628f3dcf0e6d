"""Endless playback of a file: opened once, and sought back to its start at each end.

The end of a looping file is the end of a segment, which does not flush: frames continue without a
gap.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

from touchline.worker.pipeline.elements import BuildError, first_error

_LOOK_NS = 50_000_000
_SEEK_S = 2.0
"""Timeout of a seek back to the start: it takes at most a few frames at their own rate."""


class FileLoop:
    """Looping playback of a pipeline's file, until `stop` sets `stopping`.

    `ended` is the reason why the run has ended; None while it has not.
    """

    def __init__(
        self,
        pipeline: Any,
        stopping: threading.Event,
        *,
        start_timeout_s: float,
        ended: Callable[[], str | None],
    ) -> None:
        self._pipeline = pipeline
        self._stopping = stopping
        self._start_timeout_s = start_timeout_s
        self._ended = ended
        self._seeking = threading.Lock()

    def prepare(self) -> None:
        """Open the file and make its end the end of a segment, so that playback can start again.

        Blocks. Raises BuildError.
        """
        self._pipeline.set_state(Gst.State.PAUSED)
        reason = self._wait_until_open()
        if reason is None and not self._seek_to_start(Gst.SeekFlags.FLUSH):
            reason = "this type of file cannot be looped; use MP4 or Matroska"
        if reason is None:
            reason = self._wait_until_open()
        if reason is not None:
            self._pipeline.set_state(Gst.State.NULL)
            raise BuildError(reason)

    def begin_again(self) -> bool:
        """Seek to the start of the file, unless the pipeline is being torn down.

        Return False if the file cannot be sought.
        """
        with self._seeking:
            return self._stopping.is_set() or self._seek_to_start()

    def stop(self) -> None:
        """Wait for a seek in progress before the sink is no longer read: it needs room downstream.

        If a seek and a teardown ran at the same time, each would wait for the other forever.
        """
        free = self._seeking.acquire(timeout=_SEEK_S)
        self._stopping.set()
        if free:
            self._seeking.release()

    def _wait_until_open(self) -> str | None:
        """Wait for the first frame at the sink; return the reason if there will be none."""
        deadline = time.monotonic() + self._start_timeout_s
        while time.monotonic() < deadline and not self._stopping.is_set():
            result = self._pipeline.get_state(_LOOK_NS)[0]
            if result == Gst.StateChangeReturn.SUCCESS:
                return None
            if (reason := self._ended()) is not None:
                return reason
            if result == Gst.StateChangeReturn.FAILURE:
                return first_error(self._pipeline) or "the file cannot be opened"
        return f"no frame came from the file within {self._start_timeout_s:g} s"

    def _seek_to_start(self, flags: Any = Gst.SeekFlags.NONE) -> bool:
        return bool(self._pipeline.seek_simple(Gst.Format.TIME, flags | Gst.SeekFlags.SEGMENT, 0))
