"""Connection to a touchline process: discovery, requests, events and replacement.

It is a camera's worker, or the live process. It outlives the server, so an existing one is always
looked for first. One that dies is replaced at once; one that is silent for too long is killed and
replaced.
"""

from __future__ import annotations

import logging
import os
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from typing import Any

import anyio
from anyio.abc import Process, SocketAttribute, SocketStream
from anyio.streams.buffered import BufferedByteReceiveStream

from touchline.backoff import RetryPauses
from touchline.capture.programs.launcher import ProgramLauncher
from touchline.capture.programs.pid import is_alive, kill, peer_pid
from touchline.capture.programs.standby import Standby
from touchline.core import patience
from touchline.core.descriptors import SpareDescriptors
from touchline.core.errors import Blocked, Failed
from touchline.core.tasks import keep_running
from touchline.ipc import wire
from touchline.ipc.listening import ListeningClock, input_waits

log = logging.getLogger(__name__)

_START_S = 30.0
"""Seconds within which a started process must be ready.

While a small machine boots, everything starts at once.
"""
_STANDBY_S = 3.0
"""Seconds within which a standby must be ready once it can be: it has already started."""
_CONNECT_POLL_S = 0.02
_CHECK_INTERVAL_S = 0.1
_TOO_LONG = "it sent a line that is too long"
_PAUSES = RetryPauses(first_s=0.05, longest_s=2.0, stable_s=5.0, at_once=True)
"""Pauses before a dead process is replaced.

A process that had been running for a while is replaced at once.
"""

Event = Callable[[Mapping[str, Any]], None]
Connected = Callable[[Mapping[str, Any]], Awaitable[None]]


class ProcessLost(Exception):
    """The process is gone, or could not be started."""


class ProcessLink:
    """Connection to one process, which `launcher` starts, kept alive by `run`.

    `greeting` has the fields of the `hello` request. `on_connected` is awaited with the reply
    before any other request is sent, `on_event` called with each of the process's events, `on_lost`
    when it is gone.
    """

    def __init__(
        self,
        launcher: ProgramLauncher,
        *,
        unresponsive_after_s: float,
        on_connected: Connected,
        on_event: Event,
        on_lost: Callable[[str], None],
        greeting: Mapping[str, Any] | None = None,
        spare: SpareDescriptors | None = None,
        standby: bool = False,
    ) -> None:
        """Create a link; nothing is started before `run`."""
        self.name = launcher.name
        self._title = launcher.title
        self._greeting = dict(greeting or {})
        self._spare = spare or SpareDescriptors(0)
        self.pid: int | None = None
        self.spawns = 0
        self._launcher = launcher
        self._unresponsive_after_s = unresponsive_after_s
        self._on_connected, self._on_event, self._on_lost = on_connected, on_event, on_lost
        self._stream: SocketStream | None = None
        self._send_lock = anyio.Lock()
        self._waiting: dict[int, _Reply] = {}
        self._number = 0
        self.listened_s = ListeningClock()
        self._heard_at_s = self.listened_s()
        self._leaving = anyio.Event()
        self._connected_at_s: float | None = None
        self._standby = Standby(self._title, self._launch_standby) if standby else None

    @property
    def connected(self) -> bool:
        """Whether requests can be sent."""
        return self._stream is not None

    async def run(self) -> None:
        """Keep a worker running and connected until cancelled, or until `quit`."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._keep_clock)
                if self._standby is not None:
                    tasks.start_soon(self._standby.keep, self._was_stable)

                async def once() -> None:
                    await self._serve_one()
                    tasks.cancel_scope.cancel()
                    await anyio.sleep_forever()

                await keep_running(
                    self._title,
                    once,
                    every_s=0.0,
                    pauses=_PAUSES,
                    retries=ProcessLost,
                    report=self._handle_lost,
                )
        finally:
            if self._standby is not None:
                self._standby.dismiss()

    async def _keep_clock(self) -> None:
        while True:
            self.listened_s()
            await anyio.sleep(_CHECK_INTERVAL_S)

    async def _serve_one(self) -> None:
        """Serve one process until it exits on request. Raises ProcessLost."""
        if self._leaving.is_set():
            return
        reason = "it could not be started"
        try:
            async with self._connection() as stream:
                reason = await self._serve(stream)
        except (OSError, TimeoutError, Failed) as error:
            reason = str(error) or type(error).__name__
        if not self._leaving.is_set():
            raise ProcessLost(reason)

    def _handle_lost(self, _name: str, error: Exception, _failures: int, _pause_s: float) -> None:
        log.error("the %s exited: %s", self._title, error)
        self._on_lost(str(error))

    async def ask(self, do: str, *, timeout_s: float = 5.0, **fields: Any) -> dict[str, Any]:
        """Send a request to the worker and return its reply.

        Raises Blocked when there is no worker at the moment or none that answers in time, and
        Failed with the worker's own message when it refuses.
        """
        stream = self._stream
        if stream is None:
            raise self._build_gone_error()
        self._number += 1
        number = self._number
        reply = self._waiting[number] = _Reply()
        try:
            async with self._send_lock:
                await stream.send(wire.encode({"id": number, "do": do, **fields}))
            with patience.move_on_after(timeout_s):
                await reply.arrived.wait()
        except (anyio.BrokenResourceError, anyio.ClosedResourceError):
            raise self._build_gone_error() from None
        finally:
            del self._waiting[number]
        message = reply.message
        if message is None:
            if reply.arrived.is_set():
                raise self._build_gone_error()
            text = f"The {self._title} did not answer within {timeout_s:g} s."
            raise Blocked(text, code="worker_silent", eta_s=self._unresponsive_after_s)
        if not message.get("ok"):
            raise Failed(str(message.get("message")), code=str(message.get("code")))
        return message

    async def quit(self, timeout_s: float = 5.0) -> None:
        """Ask the worker to exit.

        One that does not within the timeout is left to exit later.
        """
        self._leaving.set()
        if self._standby is not None:
            self._standby.dismiss()
        pid = self.pid
        try:
            await self.ask("quit", timeout_s=timeout_s)
        except (Blocked, Failed) as error:
            log.warning("%s", error.message)
            return
        with patience.move_on_after(timeout_s):
            # Wait for the end of the connection first, so that `run` returns.
            while self.connected or (pid is not None and is_alive(pid)):  # noqa: ASYNC110
                await anyio.sleep(0.02)

    def _build_gone_error(self) -> Blocked:
        return Blocked(
            f"The {self._title} is not running; a new one is being started.",
            code="worker_gone",
            eta_s=1.0,
        )

    # ---------------------------------------------------------- finding a worker

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[SocketStream]:
        """Connect to an existing worker, or start a new one.

        Uses file descriptors that are reserved for this, so it works when no others are left.
        """
        with self._spare.lent():
            directory = await self._open_runtime_dir()
            try:
                # Through the descriptor, because a socket's path has 108 bytes at the most.
                path = f"/proc/self/fd/{directory}/{self.name}.sock"
                stream = await self._try_connect(path)
                if stream is None:
                    stream = await self._connect_to_standby(path)
                if stream is None:
                    stream = await self._connect_to(await self._spawn(), path, _START_S)
            finally:
                os.close(directory)
        try:
            yield stream
        finally:
            self._stream = self._connected_at_s = None
            self._forget_requests()
            with anyio.CancelScope(shield=True):
                await stream.aclose()

    @staticmethod
    async def _try_connect(path: str) -> SocketStream | None:
        try:
            return await anyio.connect_unix(path)
        except (FileNotFoundError, ConnectionRefusedError):
            return None

    async def _open_runtime_dir(self) -> int:
        """Open the directory of the sockets; it is created again if something removed it."""
        runtime_dir, how = self._launcher.runtime_dir, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
        try:
            return os.open(runtime_dir, how)
        except FileNotFoundError:
            log.warning("%s had been removed and is created again", runtime_dir)
            runtime_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
            return os.open(runtime_dir, how)

    async def _connect_to_standby(self, path: str) -> SocketStream | None:
        """Connect to the standby, which becomes the worker; None if there is none that works."""
        process = self._standby.take() if self._standby is not None else None
        if process is None:
            return None
        self.spawns += 1
        with patience.move_on_after(_START_S):
            # Until then the worker has the lock that the standby waits for.
            while self.pid is not None and is_alive(self.pid):  # noqa: ASYNC110
                await anyio.sleep(_CONNECT_POLL_S)
        try:
            return await self._connect_to(process, path, _STANDBY_S)
        except Failed as error:
            log.error("the standby of the %s is useless: %s", self._title, error.message)
            return None

    def _was_stable(self) -> bool:
        since_s = self._connected_at_s
        return since_s is not None and self.listened_s() - since_s > _PAUSES.stable_s

    async def _spawn(self) -> Process:
        self.spawns += 1
        return await self._launcher.launch()

    async def _launch_standby(self, stdin: int) -> Process:
        return await self._launcher.launch("--standby", stdin=stdin)

    async def _connect_to(self, process: Process, path: str, within_s: float) -> SocketStream:
        """Connect to a process that starts; kill it if it does not get ready in time.

        It may already hold the worker's lock, which no other process could acquire then.
        """
        try:
            with patience.move_on_after(within_s):
                while True:
                    stream = await self._try_connect(path)
                    if stream is not None:
                        return stream
                    if process.returncode is not None:
                        code = process.returncode
                        text = f"it exited with status {code}; see {self._launcher.log_path}"
                        raise Failed(text, code="worker_died")
                    await anyio.sleep(_CONNECT_POLL_S)
        except anyio.get_cancelled_exc_class():
            kill(process.pid)  # it is not recording yet, and nothing could connect to it
            raise
        kill(process.pid)
        raise Failed(f"it was not ready within {within_s:g} s and was killed", code="worker_hung")

    # ------------------------------------------------------------- listening

    async def _serve(self, stream: SocketStream) -> str:
        """Read from the worker until it is gone, and return the reason."""
        self.pid = peer_pid(stream.extra(SocketAttribute.raw_socket))  # noqa: S610  (anyio's, not Django's)
        self._stream = stream
        self._heard_at_s = self._connected_at_s = self.listened_s()
        killed: str | None = None
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(self._greet)

            async def kill_when_silent() -> None:
                nonlocal killed
                silent_s = await self._silent_too_long(stream)
                killed = f"it said nothing for {silent_s:.1f} s and was killed"
                kill(self.pid)

            tasks.start_soon(kill_when_silent)
            reason = await self._listen(stream)
            tasks.cancel_scope.cancel()
        return killed or reason

    async def _silent_too_long(self, stream: SocketStream) -> float:
        """Return once the process has been silent for too long, with the seconds.

        Silence does not count while input is waiting to be read, nor while this process was paused:
        after a pause timers fire before the input that has arrived is read.
        """
        connection = stream.extra(SocketAttribute.raw_socket)  # noqa: S610  (anyio's, not Django's)
        while True:
            silent_s = self.listened_s() - self._heard_at_s
            if silent_s > self._unresponsive_after_s and not input_waits(connection):
                return silent_s
            await anyio.sleep(_CHECK_INTERVAL_S)

    async def _greet(self) -> None:
        try:
            await self._on_connected(await self.ask("hello", **self._greeting))
        except (Blocked, Failed) as error:
            # A worker that cannot be set up is replaced when it is silent or dies.
            log.error("the %s is unusable: %s", self._title, error.message)

    async def _listen(self, stream: SocketStream) -> str:
        """Dispatch the worker's messages until the stream ends, and return the reason."""
        lines = BufferedByteReceiveStream(stream)
        while True:
            try:
                line = await lines.receive_until(b"\n", wire.MAX_LINE_BYTES)
            except (anyio.IncompleteRead, anyio.EndOfStream, anyio.BrokenResourceError, OSError):
                return "it closed the connection"
            except anyio.DelimiterNotFound:
                return _TOO_LONG
            if len(line) > wire.MAX_LINE_BYTES:  # the newline arrived with the excess
                return _TOO_LONG
            self._heard_at_s = self.listened_s()
            try:
                message = wire.decode(line)
            except ValueError as error:
                return f"it sent an invalid message: {error}"
            number = message.get("re")
            if number is None:
                self._on_event(message)
            elif number in self._waiting:
                self._waiting[number].set(message)

    def _forget_requests(self) -> None:
        for reply in self._waiting.values():
            reply.set(None)


class _Reply:
    def __init__(self) -> None:
        self.arrived = anyio.Event()
        self.message: dict[str, Any] | None = None

    def set(self, message: dict[str, Any] | None) -> None:
        self.message = message
        self.arrived.set()
