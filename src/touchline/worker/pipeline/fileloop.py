"""A file that is played again and again: opened, and sought back to its start at each end.

The end of a file that loops is the end of a segment, which flushes nothing: frames go on without a
gap.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from typing import Any

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

from touchline.worker.pipeline.elements import BuildError, first_error  # noqa: E402

_LOOK_NS = 50_000_000
_SEEK_S = 2.0
"""How long a seek back to the start may take: a few frames at the most, at their own pace."""


class FileLoop:
    """Plays the file of a pipeline in a loop, until `stopping` is set by `stop`.

    `ended` says why the run has ended already; None while it has not.
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
        """Open the file and ask for its end to be a segment's end, so that it can begin again.

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
        """Go back to the file's start, unless the pipeline is being torn down.

        Return False where the file cannot be sought.
        """
        with self._seeking:
            return self._stopping.is_set() or self._seek_to_start()

    def stop(self) -> None:
        """Let a seek under way end before the sink is read no more: it waits for room downstream.

        With both a seek and a teardown at work each would wait for the other for ever.
        """
        free = self._seeking.acquire(timeout=_SEEK_S)
        self._stopping.set()
        if free:
            self._seeking.release()

    def _wait_until_open(self) -> str | None:
        """Wait for the first frame at the sink; returns why there will be none."""
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
