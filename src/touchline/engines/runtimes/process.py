"""Engines as processes of this machine: they outlive the server, and the next one adopts them."""

from __future__ import annotations

import asyncio
import logging
import os
import secrets
import signal
import socket
import subprocess
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager, suppress
from dataclasses import dataclass, field, replace
from datetime import datetime, timezone
from pathlib import Path
from typing import ClassVar, TypeVar

import anyio
import anyio.to_thread
from typing_extensions import TypeVarTuple, Unpack

from touchline.core.errors import TouchlineError
from touchline.engines.model import (
    EngineSpec,
    EventKind,
    Executed,
    Instance,
    InstanceState,
    RuntimeEvent,
    Usage,
)
from touchline.engines.runtimes import procfs
from touchline.engines.runtimes.broadcast import Broadcast
from touchline.engines.runtimes.memorylimit import MemoryLimits
from touchline.engines.runtimes.processrecords import LOG, Record, Records, now_text
from touchline.engines.runtimes.processspawn import (
    INSTANCE,
    environment,
    signal_session,
    spawn,
)
from touchline.engines.runtimes.processusage import UsageMeter
from touchline.engines.runtimes.protocol import (
    ImageNotFound,
    InstanceNotFound,
    NameInUse,
    PortInUse,
    StartFailed,
    StartTimeout,
)
from touchline.engines.runtimes.settings import ProcessRuntimeSettings

log = logging.getLogger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

SETTLE_S = 0.03
"""A program that cannot do its work mostly ends within this time: then it was no start."""

OUTPUT_LIMIT_BYTES = 64 << 10
THREADS = 8
_FIRST_PAUSE_S, _LONGEST_PAUSE_S = 0.5, 30.0


@dataclass(eq=False)
class _Running:
    """One record, and what this server knows of its process beside."""

    record: Record
    pidfd: int | None = None
    child: subprocess.Popen[bytes] | None = None
    ended: anyio.Event = field(default_factory=anyio.Event)
    stopping: asyncio.Task[None] | None = None
    restarting: asyncio.Task[None] | None = None
    restarts: int = 0


@dataclass(eq=False)
class _Sweep:
    """Sessions whose remains are looked for together."""

    leaders: list[procfs.Identity] = field(default_factory=list)
    done: anyio.Event = field(default_factory=anyio.Event)


class ProcessRuntime:
    """Made by `open_process_runtime`. Belongs to the event loop; what blocks runs in threads."""

    kind: ClassVar[str] = "process"
    publishes_ports: ClassVar[bool] = False

    def __init__(
        self,
        settings: ProcessRuntimeSettings,
        *,
        directory: Path,
        label: tuple[str, str],
        bind_address: str,
    ) -> None:
        self._settings = settings
        self._records = Records(directory)
        self._label = label
        self._bind_address = bind_address
        self._threads = anyio.CapacityLimiter(THREADS)
        self._limits = MemoryLimits()
        self._meter = UsageMeter()
        self._running: dict[str, _Running] = {}
        self._names: set[str] = set()
        self._events = Broadcast()
        self._boot = ""
        self._sweeping: _Sweep | None = None
        self._one_sweep = anyio.Lock()

    # ------------------------------------------------------------------ the protocol

    async def start(self, spec: EngineSpec, *, within_s: float) -> Instance:
        """As the protocol says; a program that ends within 30 ms was no start."""
        argv = self._program(spec)
        if spec.name in self._names:
            raise NameInUse(f"A process is called {spec.name} already; nothing was started")
        self._names.add(spec.name)
        running: _Running | None = None
        try:
            await self._thread(self._check_ports, spec)
            running = _Running(self._new_record(spec, argv))
            self._running[running.record.id] = running
            with anyio.move_on_after(within_s) as scope:
                await self._launch(running)
                with anyio.move_on_after(SETTLE_S):
                    await running.ended.wait()
            if scope.cancelled_caught:
                raise StartTimeout(f"{spec.name} did not start in {within_s:g} s; nothing is left")
            if running.ended.is_set() and not spec.restarts:
                raise StartFailed(await self._last_words(running.record))
        except BaseException:
            if running is not None:
                with anyio.CancelScope(shield=True):
                    await self._erase(running, grace_s=0)
            self._names.discard(spec.name)
            raise
        self._tell("started", running.record)
        return running.record.instance("running")

    async def stop(self, instance_id: str, *, grace_s: float) -> None:
        """As the protocol says; what is left of its session is killed with it."""
        running = self._running.get(instance_id)
        if running is None:
            return
        if running.stopping is None:
            running.stopping = asyncio.ensure_future(self._stop(running, grace_s))
        await asyncio.shield(running.stopping)

    async def list(self) -> Sequence[Instance]:
        """As the protocol says."""
        running = list(self._running.values())
        states = await self._thread(self._states, [each.record for each in running])
        return [each.record.instance(state) for each, state in zip(running, states, strict=True)]

    async def inspect(self, reference: str) -> Instance:
        """As the protocol says; there are no others than managed ones."""
        found = [
            each
            for each in self._running.values()
            if reference in {each.record.id, each.record.name}
        ] or [each for each in self._running.values() if each.record.id.startswith(reference)]
        if len(found) != 1 or not reference:
            raise InstanceNotFound(f"There is no process {reference!r}")
        record = found[0].record
        states = await self._thread(self._states, [record])
        return record.instance(states[0], with_env=True)

    async def usage(self) -> Mapping[str, Usage]:
        """As the protocol says; the whole session of each process counts."""
        leaders = {
            each.record.id: (each.record.process.pid, each.record.memory_limit_bytes)
            for each in self._running.values()
            if each.record.process is not None and not each.ended.is_set()
        }
        return await self._thread(self._meter.measure, leaders)

    def watch(self) -> AbstractAsyncContextManager[AsyncIterator[RuntimeEvent]]:
        """As the protocol says."""
        return self._events.watching()

    async def execute(
        self, instance_id: str, command: Sequence[str], *, within_s: float
    ) -> Executed:
        """As the protocol says; the command runs beside the process, in its directory."""
        running = self._running.get(instance_id)
        if running is None or running.ended.is_set():
            raise InstanceNotFound(f"No process {instance_id[:12]} runs")
        record = running.record
        try:
            process = await anyio.open_process(
                list(command),
                cwd=self._records.home(record.id),
                env=environment(record.id, record.env),
                stdin=subprocess.DEVNULL,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        except OSError as error:
            return Executed(127, f"{command[0]}: {error.strerror}".encode())
        output = bytearray()
        try:
            with anyio.fail_after(within_s):
                assert process.stdout is not None  # noqa: S101  (asked for above)
                async for chunk in process.stdout:
                    output += chunk[: OUTPUT_LIMIT_BYTES - len(output)]
                return Executed(await process.wait(), bytes(output))
        except TimeoutError as error:
            raise StartTimeout(f"{command[0]} did not end in {within_s:g} s") from error
        finally:
            with anyio.CancelScope(shield=True):
                if process.returncode is None:
                    os.killpg(process.pid, signal.SIGKILL)
                await process.aclose()

    async def close(self) -> None:
        """As the protocol says."""
        self._events.end()
        loop = asyncio.get_running_loop()
        for running in self._running.values():
            if running.restarting is not None:
                running.restarting.cancel()
            if running.pidfd is not None:
                loop.remove_reader(running.pidfd)
                os.close(running.pidfd)
                running.pidfd = None
            if running.child is not None:
                # It is not waited for: it runs on, and the next server finds it.
                running.child.returncode = running.child.returncode or 0

    # ------------------------------------------------------------------ opening

    async def open(self) -> None:
        """Take over what an earlier server left running."""
        for record, pidfd in await self._thread(self._read_records):
            running = _Running(record, pidfd)
            self._running[record.id] = running
            self._names.add(record.name)
            if pidfd is None:
                running.ended.set()
                self._restart_soon(running)
            else:
                self._follow(running, pidfd)

    def _read_records(self) -> Sequence[tuple[Record, int | None]]:
        self._records.open()
        self._boot = procfs.boot_id()
        found = []
        for record in self._records.read_all():
            if record.process is None and not record.ended:
                pid = procfs.find_marked(INSTANCE, record.id)
                if pid is None:
                    self._records.remove(record.id)
                    continue
                record = replace(record, process=procfs.identify(pid, self._boot))  # noqa: PLW2901
                self._records.write(record)
            pidfd = self._pidfd(record)
            if pidfd is None and not record.ended:
                record = replace(record, ended=True)  # noqa: PLW2901
                self._records.write(record)
            found.append((record, pidfd))
        return found

    def _pidfd(self, record: Record) -> int | None:
        """A descriptor of exactly this process; None where it does not run any more."""
        if record.ended or record.process is None:
            return None
        try:
            pidfd = os.pidfd_open(record.process.pid)
        except OSError:
            return None
        # Asked after the descriptor stands: from then on the number cannot change hands unseen.
        if procfs.runs(record.process, self._boot):
            return pidfd
        os.close(pidfd)
        return None

    # ------------------------------------------------------------------ starting

    def _program(self, spec: EngineSpec) -> tuple[str, ...]:
        program = self._settings.programs.get(spec.image) or self._settings.command
        if not program:
            raise ImageNotFound(
                f"No program is configured for {spec.image}: set engines.runtime.command, or"
                " engines.runtime.programs for this image"
            )
        return (*program, *spec.command)

    def _new_record(self, spec: EngineSpec, argv: tuple[str, ...]) -> Record:
        name, value = self._label
        return Record(
            id=secrets.token_hex(32),
            name=spec.name,
            image=spec.image,
            command=argv,
            env=dict(spec.env),
            labels={**spec.labels, name: value},
            created_at=now_text(),
            bind_address=self._bind_address,
            ports=spec.ports,
            memory_limit_bytes=spec.memory_limit_bytes,
            restarts=spec.restarts,
        )

    def _check_ports(self, spec: EngineSpec) -> None:
        family = socket.AF_INET6 if ":" in self._bind_address else socket.AF_INET
        for port in spec.ports:
            if port.host_port is None:
                continue
            kind = socket.SOCK_DGRAM if port.protocol == "udp" else socket.SOCK_STREAM
            with socket.socket(family, kind) as probe:
                probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
                try:
                    probe.bind((self._bind_address, port.host_port))
                except OSError as error:
                    raise PortInUse(
                        f"Port {port.host_port} is in use: {error.strerror}; nothing was started",
                        port=port.host_port,
                    ) from error

    async def _launch(self, running: _Running) -> None:
        # Shielded: a process that has been made must be known before anybody gives up.
        with anyio.CancelScope(shield=True):
            child, record, pidfd = await self._thread(self._spawn, running.record)
        running.child, running.record = child, record
        running.ended = anyio.Event()
        self._follow(running, pidfd)

    def _spawn(self, record: Record) -> tuple[subprocess.Popen[bytes], Record, int]:
        records = self._records
        record = replace(record, process=None, ended=False, exit_code=None)
        records.write(record)
        home = records.home(record.id)
        env = environment(record.id, record.env)
        child = spawn(record.command, env=env, home=home, log=home / LOG)
        pidfd = os.pidfd_open(child.pid)  # ours and not waited for: the number is still its own
        if record.memory_limit_bytes is not None:
            self._limits.apply(record.id, child.pid, record.memory_limit_bytes)
        record = replace(record, process=procfs.identify(child.pid, self._boot))
        records.write(record)
        return child, record, pidfd

    def _follow(self, running: _Running, pidfd: int) -> None:
        running.pidfd = pidfd
        asyncio.get_running_loop().add_reader(pidfd, self._has_ended, running)

    async def _last_words(self, record: Record) -> str:
        lines = await self._thread(self._records.last_lines, record.id)
        code = f"with exit code {record.exit_code}" if record.exit_code is not None else "at once"
        said = f": {lines}" if lines else ", and said nothing"
        return f"{record.name} ended {code}; nothing is left of it{said}"

    # ------------------------------------------------------------------ ending

    def _has_ended(self, running: _Running) -> None:
        """Its descriptor says so."""
        if running.pidfd is None:
            return
        asyncio.get_running_loop().remove_reader(running.pidfd)
        process = running.record.process
        if process is not None:
            # Before it is waited for: until then its number is its group's and nobody else's.
            with suppress(ProcessLookupError, PermissionError):
                os.killpg(process.pid, signal.SIGKILL)
        os.close(running.pidfd)
        running.pidfd = None
        code = running.child.poll() if running.child is not None else None
        running.child = None
        running.record = replace(running.record, ended=True, exit_code=_as_shells_do(code))
        running.ended.set()
        if running.record.id not in self._running:
            return
        self._tell("died", running.record)
        if running.stopping is None:
            asyncio.ensure_future(self._after_death(running))  # noqa: RUF006  (kept by the loop)

    async def _after_death(self, running: _Running) -> None:
        try:
            await self._thread(self._write_if_there, running.record)
        except OSError as error:
            log.warning("The end of %s could not be noted: %s", running.record.name, error)
        self._restart_soon(running)

    def _write_if_there(self, record: Record) -> None:
        if self._records.home(record.id).is_dir():
            self._records.write(record)

    def _restart_soon(self, running: _Running) -> None:
        if running.record.restarts and running.stopping is None and running.restarting is None:
            running.restarting = asyncio.ensure_future(self._restart(running))

    async def _restart(self, running: _Running) -> None:
        try:
            pause_s = min(_LONGEST_PAUSE_S, _FIRST_PAUSE_S * 2.0 ** min(running.restarts, 8))
            await anyio.sleep(pause_s)
            running.restarts += 1
            await self._launch(running)
        except (TouchlineError, OSError) as error:
            log.warning("%s could not be started again: %s", running.record.name, error)
        else:
            self._tell("started", running.record)
        finally:
            running.restarting = None

    async def _stop(self, running: _Running, grace_s: float) -> None:
        await self._erase(running, grace_s=grace_s)
        self._names.discard(running.record.name)
        self._tell("removed", running.record)

    async def _erase(self, running: _Running, *, grace_s: float) -> None:
        """End it, with all of its session, and take its record away."""
        if running.restarting is not None:
            running.restarting.cancel()
        process = running.record.process
        if running.pidfd is not None and process is not None:
            if grace_s > 0:
                self._signal(running, signal.SIGTERM)
                self._signal(running, signal.SIGCONT)  # one that is frozen would not hear the first
                with anyio.move_on_after(grace_s):
                    await running.ended.wait()
            if not running.ended.is_set():
                self._signal(running, signal.SIGKILL)
                await running.ended.wait()
        if process is not None:
            await self._sweep(process)
        self._running.pop(running.record.id, None)
        self._meter.forget(running.record.id)
        await self._thread(self._records.remove, running.record.id)
        await self._thread(self._limits.forget, running.record.id)

    async def _sweep(self, leader: procfs.Identity) -> None:
        """Kill what is left of its session; many who wait for it share one look at all processes.

        A look at a thousand processes takes 20 ms, and a fleet may be stopped at once.
        """
        if self._sweeping is None:
            self._sweeping = _Sweep()
            sweep = self._sweeping
            sweep.leaders.append(leader)
            async with self._one_sweep:
                self._sweeping = None
                await self._thread(procfs.kill_sessions, sweep.leaders, self._boot)
            sweep.done.set()
        else:
            sweep = self._sweeping
            sweep.leaders.append(leader)
            await sweep.done.wait()

    def _signal(self, running: _Running, number: int) -> None:
        process = running.record.process
        if running.pidfd is not None and process is not None:
            signal_session(running.pidfd, process.pid, number)

    # ------------------------------------------------------------------ inside

    def _states(self, records: Sequence[Record]) -> Sequence[InstanceState]:
        self._records.shorten_logs()
        return [_state(record) for record in records]

    def _tell(self, kind: EventKind, record: Record) -> None:
        self._events.tell(
            RuntimeEvent(
                kind=kind,
                instance_id=record.id,
                name=record.name,
                at=datetime.now(timezone.utc),
                labels=dict(record.labels),
                exit_code=record.exit_code if kind == "died" else None,
            )
        )

    async def _thread(self, work: Callable[[Unpack[Ts]], T], *args: Unpack[Ts]) -> T:
        return await anyio.to_thread.run_sync(work, *args, limiter=self._threads)


def _state(record: Record) -> InstanceState:
    stat = procfs.stat_of(record.process.pid) if record.process is not None else None
    if record.ended or (stat is not None and stat.state in "ZX"):
        return "exited"
    if record.process is None:
        return "created"
    if stat is None or stat.start_ticks != record.process.start_ticks:
        return "exited"
    return "paused" if stat.state in "Tt" else "running"


def _as_shells_do(code: int | None) -> int | None:
    """A signal's number plus 128, as Docker and shells tell it."""
    return 128 - code if code is not None and code < 0 else code


@asynccontextmanager
async def open_process_runtime(
    settings: ProcessRuntimeSettings, *, directory: Path, label: tuple[str, str], bind_address: str
) -> AsyncIterator[ProcessRuntime]:
    """The runtime whose records are in `directory`; processes run on when it is closed."""
    runtime = ProcessRuntime(settings, directory=directory, label=label, bind_address=bind_address)
    await runtime.open()
    try:
        yield runtime
    finally:
        await runtime.close()
