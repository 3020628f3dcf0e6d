"""Lifecycle of one process, followed to its end by a process descriptor."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import replace

import anyio

from touchline.backoff import RetryPauses
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.process.kernel.procfs import Remains
from touchline.engines.runtimes.process.ports import Port, wanted
from touchline.engines.runtimes.process.records import ProcessRecord
from touchline.engines.runtimes.process.spawn import mark_of, wait_for

KILLED_WITHIN_S = 10.0
"""Seconds within which a killed process must end.

A process that waits for a broken disk cannot be killed until the disk answers.
"""

RESTARTS = RetryPauses(first_s=0.5, longest_s=30.0, stable_s=10.0)
"""Delays of restarts; after a long run the shortest applies again."""


class Life:
    """Lifecycle of one process; `on_end` is called when it has ended after its announcement."""

    def __init__(self, record: ProcessRecord, on_end: Callable[[Life], None]) -> None:
        self.record = record
        self.ended = anyio.Event()
        self._on_end = on_end
        self._announced = False
        """Whether its start has been announced, and its end not yet."""
        self._stopping = False
        self._restarting: asyncio.Task[None] | None = None
        self._restarts = anyio.CancelScope()
        self._pidfd: int | None = None
        self._failures = 0
        self._followed_s = self._lasted_s = 0.0

    @property
    def ports(self) -> frozenset[Port]:
        """Host ports that it has, or will have; none once it has ended for good."""
        holds = self.record.restarts or not self.ended.is_set()
        return wanted(self.record.ports) if holds else frozenset()

    @property
    def remains(self) -> Remains | None:
        """Possible remains of it; None: it was never started."""
        process = self.record.process
        return Remains(process, mark_of(self.record.id)) if process is not None else None

    @property
    def stopping(self) -> bool:
        """Whether it has been told to stop, and is not restarted any more."""
        return self._stopping

    @property
    def restarting(self) -> asyncio.Task[None] | None:
        """The latest task that restarts it, if there was one."""
        return self._restarting

    def note_announced(self) -> None:
        """Record that its start has been announced: its end calls `on_end`."""
        self._announced = True

    def restart_in(self, task: asyncio.Task[None]) -> None:
        """Record the task that restarts it."""
        self._restarting = task

    def begin_restarts(self) -> anyio.CancelScope:
        """Return the scope for attempts to restart it, which ends with `stop_restarts`.

        A scope instead of cancelling the task, so that a start in a thread is awaited.
        """
        self._restarts = anyio.CancelScope()
        return self._restarts

    async def stop_restarts(self) -> None:
        """Restart it no more, and return when a restart that has begun is over."""
        self._stopping = True
        self._restarts.cancel()
        if self._restarting is not None:
            await asyncio.wait({self._restarting})

    def follow(self, record: ProcessRecord, pidfd: int | None) -> None:
        """Follow a new process.

        Without a descriptor it has ended, and no callback is called.
        """
        self.record, self.ended = record, anyio.Event()
        self._followed_s = anyio.current_time()
        if pidfd is None:
            self.ended.set()
            return
        self._pidfd = pidfd
        asyncio.get_running_loop().add_reader(pidfd, self._has_ended)

    def let_go(self) -> None:
        """Stop following the process, which keeps running."""
        self._restarts.cancel()
        self._close()

    async def end(self, *, grace_s: float) -> None:
        """End the process, killed after `grace_s`, and return when it has ended.

        Raises RuntimeUnavailable if it cannot be killed.
        """
        if grace_s > 0 and not self.ended.is_set():
            self._signal_group(signal.SIGTERM)
            self._signal_group(signal.SIGCONT)  # a stopped process handles SIGTERM only then
            with anyio.move_on_after(grace_s):
                await self.ended.wait()
        if self._pidfd is not None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._pidfd, signal.SIGKILL)
            with anyio.move_on_after(KILLED_WITHIN_S):
                await self.ended.wait()
            if not self.ended.is_set():
                raise RuntimeUnavailable(
                    f"{self.record.name} was killed but has not exited after {KILLED_WITHIN_S:g} s."
                    " Its record is kept; stop it again"
                )

    def next_pause_s(self) -> float:
        """Return the delay before the next restart.

        It grows with each restart, unless the process has lasted.
        """
        self._failures = RESTARTS.failures(self._failures, self._lasted_s)
        self._lasted_s = 0.0
        return RESTARTS.pause_s(self._failures)

    def _signal_group(self, number: int) -> None:
        if self._pidfd is None or self.record.process is None:
            return
        with suppress(ProcessLookupError, PermissionError):
            # Check the descriptor first: it fails if the PID may have been reused.
            signal.pidfd_send_signal(self._pidfd, 0)
            os.killpg(self.record.process.pid, number)

    def _has_ended(self) -> None:
        if self._pidfd is None:
            return
        code = wait_for(self._pidfd)
        self._close()
        self._lasted_s = anyio.current_time() - self._followed_s
        self.record = replace(self.record, ended=True, exit_code=code)
        self.ended.set()
        announced, self._announced = self._announced, False
        if announced:
            self._on_end(self)

    def _close(self) -> None:
        if self._pidfd is not None:
            asyncio.get_running_loop().remove_reader(self._pidfd)
            os.close(self._pidfd)
            self._pidfd = None
