"""A process that is ready to take the place of another one the moment that one dies.

Starting Python and GStreamer takes longer than anything else between the death of a worker and the
next recorded frame. A standby has done both, waits for the lock of the worker that serves, and
leaves when the server does.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio
from anyio.abc import Process

log = logging.getLogger(__name__)

_LOOK_S = 1.0
_PAUSE_S = 60.0
"""After a standby that died by itself: whatever is wrong with it costs little."""


class Standby:
    """One standby at a time, for one place.

    A standby reads from a pipe whose other end is here: it learns by that when this server is gone,
    in whatever way that was.
    """

    def __init__(self, what: str, launch: Callable[[int], Awaitable[Process]]) -> None:
        """`launch` starts a process with that standard input."""
        self._what = what
        self._launch = launch
        self._process: Process | None = None
        self._pipe: int | None = None
        self._dismissed = False

    async def keep(self, needed: Callable[[], bool]) -> None:
        """Have a standby whenever one is needed; runs until it is cancelled or dismissed."""
        while not self._dismissed:
            await anyio.sleep(_LOOK_S)
            if self._process is not None and self._process.returncode is not None:
                log.warning("the standby of the %s exited unexpectedly", self._what)
                self._process = None
                await anyio.sleep(_PAUSE_S)
            if self._process is None and needed() and not self._dismissed:
                try:
                    await self._start()
                except OSError as error:
                    log.warning("the %s has no standby: %s", self._what, error)
                    await anyio.sleep(_PAUSE_S)

    def take(self) -> Process | None:
        """Return the standby, which is the worker from now on; None where there is none."""
        process, self._process = self._process, None
        return process if process is not None and process.returncode is None else None

    def dismiss(self) -> None:
        """End the standby, before the worker leaves its place to it."""
        self._dismissed = True
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process = None
        self._hang_up()

    async def _start(self) -> None:
        self._hang_up()  # on the one before, which serves by now
        theirs, self._pipe = os.pipe()
        try:
            self._process = await self._launch(theirs)
        finally:
            os.close(theirs)

    def _hang_up(self) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            os.close(pipe)
