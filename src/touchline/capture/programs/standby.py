"""Standby process that takes over as soon as the active process dies.

Starting Python and GStreamer takes longer than anything else between the death of a worker and the
next recorded frame. A standby has done both, waits for the lock of the active worker, and exits
when the server does.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio
from anyio.abc import Process

log = logging.getLogger(__name__)

_CHECK_INTERVAL_S = 1.0
_PAUSE_S = 60.0
"""Pause in seconds after a standby that died on its own.

It limits the cost of a persistent failure.
"""


class Standby:
    """Single standby for one worker.

    A standby reads from a pipe whose other end is here, so it exits when this server ends, even
    after a crash.
    """

    def __init__(self, what: str, launch: Callable[[int], Awaitable[Process]]) -> None:
        """Create a standby; `launch` starts a process with the given standard input."""
        self._what = what
        self._launch = launch
        self._process: Process | None = None
        self._pipe: int | None = None
        self._dismissed = False

    async def keep(self, needed: Callable[[], bool]) -> None:
        """Keep a standby running whenever one is needed.

        Runs until it is cancelled or dismissed.
        """
        while not self._dismissed:
            await anyio.sleep(_CHECK_INTERVAL_S)
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
        """Return the standby, which becomes the worker; None if there is none."""
        process, self._process = self._process, None
        return process if process is not None and process.returncode is None else None

    def dismiss(self) -> None:
        """End the standby, before the worker releases its lock."""
        self._dismissed = True
        if self._process is not None:
            with suppress(ProcessLookupError):
                self._process.kill()
            self._process = None
        self._close_pipe()

    async def _start(self) -> None:
        self._close_pipe()  # that of the previous standby, which is the worker now
        theirs, self._pipe = os.pipe()
        try:
            self._process = await self._launch(theirs)
        finally:
            os.close(theirs)

    def _close_pipe(self) -> None:
        pipe, self._pipe = self._pipe, None
        if pipe is not None:
            os.close(pipe)
