"""Link to the live process, which is started on first use and then kept running.

A process that replaces one that died shows nothing: callers are notified and must request their
views again.
"""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping, Sequence
from pathlib import Path
from typing import Any, Protocol

import anyio

from touchline.capture.programs.launcher import ProgramLauncher
from touchline.capture.programs.process import ProcessLink
from touchline.core import patience
from touchline.core.errors import Blocked
from touchline.core.supervision import Tasks
from touchline.core.tasks import Changed

log = logging.getLogger(__name__)

NAME = "live"
_START_S = 10.0

OnEvent = Callable[[Mapping[str, Any]], None]
OnStarted = Callable[[], Awaitable[None]]


class LiveObserver(Protocol):
    """Observer of the live process that exists before its link."""

    async def live_started(self) -> None:
        """Note that a new process has started."""

    def live_event(self, event: Mapping[str, Any]) -> None:
        """Note an event of the process."""


class LiveLink:
    """Live process as seen by the server."""

    def __init__(
        self,
        *,
        runtime_dir: Path,
        log_dir: Path,
        unresponsive_after_s: float,
        hls_dir: Path | None,
        tasks: Tasks,
        observers: Sequence[LiveObserver] = (),
    ) -> None:
        """Create a link; the process is not started yet, and then runs as one of `tasks`.

        `hls_dir` is where it makes its folder for HLS; None is in memory.
        """
        self._hls_parent = hls_dir
        self.feed_path = runtime_dir / f"{NAME}-feed.sock"
        self.status: Mapping[str, Any] = {}
        """Latest status of streams and sessions from the process."""
        self.hls_dir: Path | None = None
        self.changed = Changed()
        self._tasks = tasks
        self._begun = False
        self._ready = anyio.Event()
        self._on_event: list[OnEvent] = [each.live_event for each in observers]
        self._on_started: list[OnStarted] = [each.live_started for each in observers]
        self._link = ProcessLink(
            ProgramLauncher(
                NAME,
                "touchline.live",
                "live process",
                runtime_dir,
                log_dir / f"{NAME}.log",
                options=() if hls_dir is None else ("--hls-dir", str(hls_dir)),
            ),
            unresponsive_after_s=unresponsive_after_s,
            on_connected=self._handle_connected,
            on_event=self._event,
            on_lost=self._handle_lost,
        )

    @property
    def connected(self) -> bool:
        """Whether the process is connected and has identified itself."""
        return self._ready.is_set()

    @property
    def pid(self) -> int | None:
        """Process id; None before the first use."""
        return self._link.pid

    def on_event(self, call: OnEvent) -> None:
        """Register `call` for each of the process's events."""
        self._on_event.append(call)

    def on_started(self, call: OnStarted) -> None:
        """Register `call`, awaited whenever a new process has started.

        The new process shows nothing yet.
        """
        self._on_started.append(call)

    async def ensure(self) -> None:
        """Wait until the process is running. Raises Blocked when that takes too long."""
        if not self._begun:
            self._begun = True
            self._tasks.keep_until_done("live process", self._link.run)
        with patience.move_on_after(_START_S):
            await self._ready.wait()
            return
        text = "The live process could not be started; see its log."
        raise Blocked(text, code="live_unavailable", eta_s=1.0)

    async def ask(self, do: str, *, timeout_s: float = 5.0, **fields: Any) -> dict[str, Any]:
        """Send a request and return the reply; the process is started first if necessary.

        Raises Blocked when it is not available, and Failed with its own message when it refuses.
        """
        await self.ensure()
        return await self._link.ask(do, timeout_s=timeout_s, **fields)

    async def close(self) -> None:
        """End the process."""
        if self._begun:
            await self._link.quit()

    async def _handle_connected(self, hello: Mapping[str, Any]) -> None:
        parent = hello.get("hls_parent")
        if parent != (None if self._hls_parent is None else str(self._hls_parent)):
            log.info(
                "replacing the live process of an earlier server, which uses another directory"
            )
            await self._link.ask("quit")
            return
        self.hls_dir = Path(hello["hls_dir"])
        self._ready.set()
        for call in self._on_started:
            await call()
        self.changed.mark()

    def _event(self, event: Mapping[str, Any]) -> None:
        if event.get("event") == "status":
            self.status = event
        for call in self._on_event:
            call(event)

    def _handle_lost(self, reason: str) -> None:
        del reason  # the link has logged it
        if self._ready.is_set():  # otherwise callers already wait for the next one
            self._ready = anyio.Event()
        self.status = {}
        for call in self._on_event:
            call({"event": "lost"})
        self.changed.mark()
