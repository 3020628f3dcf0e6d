"""Process runtime, whose engines outlive the server and are adopted by the next one."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import ClassVar

import anyio

from touchline.core import patience
from touchline.core.errors import Invalid, TouchlineError
from touchline.engines.model.addresses import Deployment
from touchline.engines.model.model import (
    EngineSpec,
    EventKind,
    Executed,
    Instance,
    InstanceState,
    RuntimeEvent,
    Usage,
)
from touchline.engines.model.places import machine_addresses
from touchline.engines.model.runtime import (
    ImageNotFound,
    InstanceNotFound,
    NameInUse,
    PortInUse,
    StartFailed,
    StartTimeout,
)
from touchline.engines.runtimes.broadcast import Broadcast
from touchline.engines.runtimes.flights import Flights
from touchline.engines.runtimes.process import ports as processports
from touchline.engines.runtimes.process.execute import executed
from touchline.engines.runtimes.process.host import ProcessHost, new_record, utc_now
from touchline.engines.runtimes.process.life import Life
from touchline.engines.runtimes.process.records import ProcessRecord
from touchline.engines.runtimes.process.settings import ProcessRuntimeSettings
from touchline.engines.runtimes.process.sweeper import Sweeper

log = logging.getLogger(__name__)


@asynccontextmanager
async def open_process_runtime(
    settings: ProcessRuntimeSettings, *, directory: Path, label: tuple[str, str], bind_address: str
) -> AsyncIterator[ProcessRuntime]:
    """Open the runtime with records in `directory`; processes keep running when it is closed.

    Raises Invalid for a directory that cannot be used.
    """
    host = ProcessHost(directory)
    runtime = ProcessRuntime(host, settings, label=label, bind_address=bind_address)
    try:
        await runtime.open()
        yield runtime
    finally:
        with anyio.CancelScope(shield=True):
            await runtime.close()


class ProcessRuntime:
    """Process implementation of `Runtime`.

    Blocking operations are the host's, in threads.
    """

    kind: ClassVar[str] = "process"
    publishes_ports: ClassVar[bool] = False
    shares_machine: ClassVar[bool] = True

    def __init__(
        self,
        host: ProcessHost,
        settings: ProcessRuntimeSettings,
        *,
        label: tuple[str, str],
        bind_address: str,
    ) -> None:
        self._host, self._settings = host, settings
        self._label, self._bind_address = label, bind_address
        self.deployment = Deployment(
            "processes", (bind_address,), machine_addresses=machine_addresses()
        )
        self._lives: dict[str, Life] = {}
        self._names: dict[str, Life] = {}
        """Processes by name, including those that are being started."""
        self._events = Broadcast()
        self._flights = Flights()
        self._sweeper = Sweeper(host.kill_remains)

    async def open(self) -> None:
        """Adopt the processes of an earlier server. Raises Invalid."""
        try:
            adopted = await self._host.adopt()
        except OSError as error:
            raise Invalid(
                f"Engine records cannot be written to {self._host.directory}:"
                f" {error.strerror}. Set engines.runtime.directory to a directory that this"
                " user can write to"
            ) from error
        for record, pidfd in adopted:
            life = self._names[record.name] = self._lives[record.id] = Life(record, self._ended)
            life.follow(record, pidfd)
            if pidfd is not None:
                life.note_announced()
            else:
                self._flights.launch(("after", record.id), partial(self._handle_exit, life))

    async def start(self, spec: EngineSpec, *, within_s: float) -> Instance:
        """Start a process; see `Runtime.start`.

        A program that ends before it waits for anything counts as a failed start.
        """
        life = self._reserve(spec)
        # A task of its own: the process must be tracked even if the caller is cancelled.
        launch = asyncio.ensure_future(self._launch(life))
        try:
            with patience.fail_after(within_s):
                await asyncio.shield(launch)
        except BaseException as error:
            await self._undo_start(life, launch)
            if isinstance(error, TimeoutError):
                raise StartTimeout(
                    f"{spec.name} was not running after {within_s:g} s and was removed"
                ) from None
            raise
        return life.record.instance("running")

    async def stop(self, instance_id: str, *, grace_s: float) -> None:
        """Stop and remove a process; see `Runtime.stop`.

        Whatever is left of its session is killed with it.
        """
        life = self._lives.get(instance_id)
        if life is not None:
            erase = partial(self._erase, life, grace_s=grace_s)
            await self._flights.join(("erase", instance_id), erase)

    async def list(self) -> Sequence[Instance]:
        """Return the processes; see `Runtime.list`.

        Logs that have grown too large are truncated as well.
        """
        await self._host.shorten_logs()
        return await self._build_instances(self._managed())

    async def inspect(self, reference: str) -> Instance:
        """Return a process; see `Runtime.inspect`."""
        lives = self._lives.values()
        found = [each for each in lives if reference in {each.record.id, each.record.name}]
        found = found or [each for each in lives if each.record.id.startswith(reference)]
        if len(found) != 1 or not reference:
            raise InstanceNotFound(f"No process {reference!r}")
        return (await self._build_instances(found, in_full=True))[0]

    async def usage(self) -> Mapping[str, Usage]:
        """Return the resource usage of processes; see `Runtime.usage`.

        The whole session of each process counts.
        """
        running = [each.record for each in self._managed() if not each.ended.is_set()]
        return await self._host.usage(running)

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[RuntimeEvent]]:
        """Watch events; see `Runtime.watch`."""
        return self._events.watching()

    async def execute(
        self, instance_id: str, command: Sequence[str], *, within_s: float
    ) -> Executed:
        """Run a command beside the process, in its directory; see `Runtime.execute`."""
        life = self._lives.get(instance_id)
        if life is None or life.ended.is_set():
            raise InstanceNotFound(f"Process {instance_id[:12]} is not running")
        try:
            spawn = partial(self._host.spawn_beside, life.record, command)
            return await executed(spawn, command[0], within_s=within_s)
        except (ImageNotFound, StartFailed) as error:
            return Executed(127, error.message.encode())

    async def close(self) -> None:
        """Close descriptors and tasks; see `Runtime.close`."""
        self._events.end()
        for life in self._lives.values():
            life.let_go()
        await self._flights.close()

    # ------------------------------------------------------------------ starting

    def _reserve(self, spec: EngineSpec) -> Life:
        program = self._settings.programs.get(spec.image) or self._settings.command
        if not program:
            raise ImageNotFound(
                f"No program is configured for {spec.image}; nothing was started. Set"
                " engines.runtime.command, or engines.runtime.programs for this image"
            )
        if spec.name in self._names:
            raise NameInUse(f"The name {spec.name} is already in use; nothing was started")
        ports = processports.wanted(spec.ports)
        for other in self._names.values():
            for number, _ in ports & other.ports:
                raise PortInUse(
                    f"Port {number} belongs to {other.record.name}; nothing was started",
                    port=number,
                )
        argv = (*program, *spec.command)
        record = new_record(spec, argv, label=self._label, bind_address=self._bind_address)
        life = self._names[spec.name] = Life(record, self._ended)
        return life

    async def _launch(self, life: Life) -> None:
        launched = await self._host.launch(life.record)
        life.follow(launched.record, launched.pidfd)
        if launched.ends_at_once:
            await life.ended.wait()
            raise StartFailed(await self._host.last_words(life.record))
        self._lives[life.record.id] = life
        life.note_announced()
        self._announce("started", life.record)

    async def _undo_start(self, life: Life, launch: asyncio.Future[None]) -> None:
        async def undo() -> None:
            await asyncio.wait({launch})
            if not launch.cancelled():
                launch.exception()  # Marks the error as retrieved; the caller has received it.
            await self._erase(life, grace_s=0)

        key = ("erase", life.record.id)
        with anyio.CancelScope(shield=True):
            try:
                await self._flights.join(key, undo)
            except TouchlineError as error:
                log.error("Left over from a failed start: %s", error.message)

    # ------------------------------------------------------------------ ending

    def _ended(self, life: Life) -> None:
        """Handle the end of a process, called by its `Life`."""
        self._announce("died", life.record)
        self._flights.launch(("after", life.record.id), partial(self._handle_exit, life))

    async def _handle_exit(self, life: Life) -> None:
        await self._sweep(life)
        if life.stopping:
            return
        try:
            await self._host.note(life.record)
        except TouchlineError as error:
            log.warning("The exit of %s could not be recorded: %s", life.record.name, error.message)
        if life.record.restarts and not life.stopping:
            work = partial(self._restart, life)
            life.restart_in(self._flights.launch(("restart", life.record.id), work))

    async def _restart(self, life: Life) -> None:
        with life.begin_restarts():
            while not life.stopping:
                await anyio.sleep(life.next_pause_s())
                try:
                    await self._launch(life)
                except TouchlineError as error:
                    log.warning("%s is not restarted: %s", life.record.name, error.message)
                    await self._sweep(life)
                else:
                    return

    async def _erase(self, life: Life, *, grace_s: float) -> None:
        """End a process with all its remains, and remove its record."""
        await life.stop_restarts()
        await life.end(grace_s=grace_s)
        record = life.record
        await self._flights.join(("after", record.id), partial(self._handle_exit, life))
        await self._host.remove(record)
        self._names.pop(record.name, None)
        if self._lives.pop(record.id, None) is not None:
            self._announce("removed", record)

    async def _sweep(self, life: Life) -> None:
        if (remains := life.remains) is not None:
            await self._sweeper.sweep(remains)

    # --------------------------------------------------------------- internals

    def _managed(self) -> Sequence[Life]:
        return [each for each in self._lives.values() if self._is_managed(each.record)]

    def _is_managed(self, record: ProcessRecord) -> bool:
        name, value = self._label
        return record.labels.get(name) == value

    async def _build_instances(
        self, lives: Sequence[Life], *, in_full: bool = False
    ) -> Sequence[Instance]:
        frozen = await self._host.frozen([each.record for each in lives])

        def state(life: Life) -> InstanceState:
            if life.ended.is_set():
                return "exited"
            return "paused" if life.record.id in frozen else "running"

        return [each.record.instance(state(each), in_full=in_full) for each in lives]

    def _announce(self, kind: EventKind, record: ProcessRecord) -> None:
        if self._is_managed(record):
            exit_code = record.exit_code if kind == "died" else None
            self._events.publish(
                RuntimeEvent(kind, record.id, record.name, utc_now(), record.labels, exit_code)
            )
