"""Execution of a command beside a process, without leaving anything behind."""

from __future__ import annotations

import os
import signal
from collections.abc import Awaitable, Callable
from contextlib import suppress

import anyio

from touchline.core import patience
from touchline.engines.model.model import Executed
from touchline.engines.model.runtime import StartTimeout
from touchline.engines.runtimes.process.spawn import Spawned, wait_for

OUTPUT_LIMIT_BYTES = 64 << 10


async def executed(
    spawn: Callable[[int], Awaitable[Spawned]], name: str, *, within_s: float
) -> Executed:
    """Run the command that `spawn` starts, with its output to the given descriptor.

    Raises StartTimeout after `within_s`. Remaining processes of the command's group are killed.
    """
    reading, writing = os.pipe2(os.O_CLOEXEC | os.O_NONBLOCK)
    try:
        os.set_blocking(writing, True)
        try:
            # Shielded: a process that was started must be known even if the caller is cancelled.
            with anyio.CancelScope(shield=True):
                spawned = await spawn(writing)
        finally:
            os.close(writing)
        output = _Output(reading)
        try:
            with patience.fail_after(within_s):
                await _until_ended(spawned.pidfd, output)
        except TimeoutError as error:
            raise StartTimeout(
                f"{name} did not exit within {within_s:g} s and was killed"
            ) from error
        finally:
            # Its PID cannot be reused before it is waited for.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(spawned.process.pid, signal.SIGKILL)
            with anyio.CancelScope(shield=True):
                await anyio.wait_readable(spawned.pidfd)
            status = wait_for(spawned.pidfd)
            os.close(spawned.pidfd)
        output.read()
        return Executed(status if status is not None else -1, bytes(output.kept))
    finally:
        os.close(reading)


async def _until_ended(pidfd: int, output: _Output) -> None:
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(output.follow)
        await anyio.wait_readable(pidfd)
        tasks.cancel_scope.cancel()


class _Output:
    """Output read from a pipe.

    Beyond the limit it is read and dropped, so that the writer is not blocked.
    """

    def __init__(self, descriptor: int) -> None:
        self._descriptor = descriptor
        self.kept = bytearray()

    async def follow(self) -> None:
        """Read until the other end is closed."""
        while not self.read():
            await anyio.wait_readable(self._descriptor)

    def read(self) -> bool:
        """Read the available output, and return whether the other end is closed."""
        while True:
            try:
                chunk = os.read(self._descriptor, OUTPUT_LIMIT_BYTES)
            except BlockingIOError:
                return False
            if not chunk:
                return True
            self.kept += chunk[: OUTPUT_LIMIT_BYTES - len(self.kept)]
