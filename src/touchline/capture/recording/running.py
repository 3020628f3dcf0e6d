"""Current recording: its match, and the results that clients wait for."""

from __future__ import annotations

from typing import Generic, TypeVar

import anyio

from touchline.capture.recording.answers import StartReport, StopReport
from touchline.capture.recording.match.match import Match

ReportT = TypeVar("ReportT", StartReport, StopReport)


class PendingReport(Generic[ReportT]):
    """Report that is not available yet.

    Any number of callers may wait for it; only the first value is kept.
    """

    def __init__(self) -> None:
        self._settled = anyio.Event()
        self._value: ReportT | Exception | None = None

    def set(self, value: ReportT | Exception) -> None:
        """Set the report, or the error to raise, for all waiting callers."""
        if self._value is None:
            self._value = value
            self._settled.set()

    async def settled(self) -> None:
        """Wait until there is a report or an error."""
        await self._settled.wait()

    async def get(self) -> ReportT:
        """Return the report. Raises the error that was set instead."""
        await self._settled.wait()
        if self._value is None:
            raise RuntimeError("a report without a value")
        if isinstance(self._value, Exception):
            raise self._value
        return self._value


class Running:
    """Recording from its first order to its verification."""

    def __init__(self, match: Match, *, require_all: bool) -> None:
        self.match = match
        self.require_all = require_all
        """Whether one missing camera refuses the start."""
        self.started = PendingReport[StartReport]()
        self.stop_asked = anyio.Event()
        self.stopped = PendingReport[StopReport]()
        self.ended = anyio.Event()


class CurrentRecording:
    """Current recording, if any. The recorder begins and ends it; all may read it."""

    def __init__(self) -> None:
        self._running: Running | None = None

    @property
    def running(self) -> Running | None:
        """The recording from its order until its stop has been verified; None: there is none."""
        return self._running

    def begin(self, running: Running) -> None:
        """Make a recording the current one."""
        self._running = running

    def end(self) -> None:
        """Have no current recording any more."""
        self._running = None

    def is_running(self, match_id: str) -> bool:
        """Return whether this match is being recorded at the moment."""
        return self.running is not None and self.running.match.match_id == match_id

    def match_now_ns(self, match_id: str) -> int | None:
        """Return the present on the clock of the match; None if it is not being recorded."""
        if self.running is None or self.running.match.match_id != match_id:
            return None
        return self.running.match.now_ns()
