"""Blocking operations of the process runtime, run in threads."""

from __future__ import annotations

import logging
import os
import secrets
import signal
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import anyio
import anyio.to_thread
from typing_extensions import TypeVarTuple, Unpack

from touchline.engines.model.model import EngineSpec, Usage
from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.engines.runtimes.process import ports
from touchline.engines.runtimes.process.kernel import procfs
from touchline.engines.runtimes.process.kernel.memorylimit import MemoryLimits
from touchline.engines.runtimes.process.kernel.procfs import Remains
from touchline.engines.runtimes.process.records import ProcessRecord, Records
from touchline.engines.runtimes.process.spawn import (
    Spawned,
    ends_at_once,
    environment,
    mark_of,
    spawn,
)
from touchline.engines.runtimes.process.usage import ProcessUsageMeter

log = logging.getLogger(__name__)

T = TypeVar("T")
Ts = TypeVarTuple("Ts")

STARTS_AT_A_TIME, OTHERS_AT_A_TIME = 8, 4
"""Numbers of threads for starts and for other operations.

A list must not wait for a hundred starts.
"""


@dataclass(frozen=True, slots=True)
class Launched:
    """Process that was started for a record."""

    record: ProcessRecord
    pidfd: int
    ends_at_once: bool


class ProcessHost:
    """Operations of the process runtime on this machine.

    A directory that cannot be written is RuntimeUnavailable.
    """

    def __init__(
        self, directory: Path, *, records: Records | None = None, limits: MemoryLimits | None = None
    ) -> None:
        self.directory = directory
        self._records = records or Records(directory)
        self._limits = limits or MemoryLimits()
        self._meter = ProcessUsageMeter(self._limits)
        self._boot = ""
        self._starts = anyio.CapacityLimiter(STARTS_AT_A_TIME)
        self._others = anyio.CapacityLimiter(OTHERS_AT_A_TIME)

    async def adopt(self) -> Sequence[tuple[ProcessRecord, int | None]]:
        """Return an earlier server's records, each with a descriptor of its process if running.

        Raises OSError.
        """
        return await anyio.to_thread.run_sync(self._adopt, limiter=self._others)

    async def launch(self, record: ProcessRecord) -> Launched:
        """Start the record's process, once its ports are free.

        Raises PortInUse, ImageNotFound, StartFailed, RuntimeUnavailable; then none runs.
        """
        return await self._thread(self._launch, record, limiter=self._starts)

    async def spawn_beside(
        self, record: ProcessRecord, command: Sequence[str], output: int
    ) -> Spawned:
        """Start a command in the environment and directory of a record's process."""
        return await self._thread(self._spawn, record, command, output, limiter=self._starts)

    async def note(self, record: ProcessRecord) -> None:
        """Save the record, unless it has been removed."""
        await self._thread(self._note, record)

    async def remove(self, record: ProcessRecord) -> None:
        """Remove the record, and what belongs to it."""
        await self._thread(self._remove, record)

    async def frozen(self, records: Sequence[ProcessRecord]) -> frozenset[str]:
        """Return the ids of those whose processes are stopped by a signal."""
        return await self._thread(_frozen, records)

    async def shorten_logs(self) -> None:
        """Truncate logs that have grown too large."""
        await self._thread(self._records.shorten_logs)

    async def usage(self, records: Sequence[ProcessRecord]) -> dict[str, Usage]:
        """Return the usage of running processes by id."""
        return dict(await self._thread(self._meter.measure, records))

    async def last_words(self, record: ProcessRecord) -> str:
        """Return how a process ended unexpectedly."""
        said = await self._thread(self._records.last_lines, record.id)
        return (
            f"{record.name} exited immediately with exit code {record.exit_code} and was"
            f" removed. {f'Output: {said}' if said else 'It wrote no output'}"
        )

    async def kill_remains(self, remains: Sequence[Remains]) -> None:
        """Kill what is left of these processes."""
        await self._thread(procfs.kill_remains, remains, self._boot)

    # ------------------------------------------------------------------ in threads

    def _adopt(self) -> list[tuple[ProcessRecord, int | None]]:
        self._records.open()
        self._boot = procfs.boot_id()
        found = (self._found(record) for record in self._records.read_all(is_alive=self._marked))
        return [each for each in found if each is not None]

    def _marked(self, record_id: str) -> bool:
        return procfs.find_leader(mark_of(record_id), self._boot) is not None

    def _found(self, record: ProcessRecord) -> tuple[ProcessRecord, int | None] | None:
        if record.process is None and not record.ended:
            # The server crashed during this start: the process may or may not exist.
            process = procfs.find_leader(mark_of(record.id), self._boot)
            if process is None:
                self._remove(record)
                return None
            record = replace(record, process=process)
            self._note(record)
        pidfd = None
        if record.process is not None and not record.ended:
            pidfd = procfs.descriptor_of(record.process, self._boot)
        return (record if pidfd is not None else replace(record, ended=True)), pidfd

    def _launch(self, record: ProcessRecord) -> Launched:
        ports.check(ports.wanted(record.ports), record.bind_address)
        # Written before the process exists: after a crash it is found by its mark.
        record = replace(record, process=None, ended=False, exit_code=None, started_at=utc_now())
        self._records.create(record)
        with self._records.appending(record.id) as output:
            spawned = self._spawn(record, record.command, output)
        try:
            record = replace(record, process=spawned.process)
            if record.memory_limit_bytes is not None:
                self._limits.apply(record.id, spawned.process.pid, record.memory_limit_bytes)
            self._records.write(record)
            return Launched(record, spawned.pidfd, ends_at_once(spawned))
        except BaseException:
            signal.pidfd_send_signal(spawned.pidfd, signal.SIGKILL)
            os.waitid(os.P_PIDFD, spawned.pidfd, os.WEXITED)
            os.close(spawned.pidfd)
            raise

    def _spawn(self, record: ProcessRecord, argv: Sequence[str], output: int) -> Spawned:
        return spawn(
            argv,
            env=environment(record.id, record.env, home=self._records.home(record.id)),
            home=self._records.home(record.id),
            output=output,
            boot=self._boot,
        )

    def _note(self, record: ProcessRecord) -> None:
        try:
            self._records.write(record)
        except FileNotFoundError:
            log.info("%s was removed meanwhile", record.name)

    def _remove(self, record: ProcessRecord) -> None:
        self._records.remove(record.id)
        if record.memory_limit_bytes is not None:
            self._limits.forget(record.id)

    async def _thread(
        self,
        work: Callable[[Unpack[Ts]], T],
        *args: *Ts,
        limiter: anyio.CapacityLimiter | None = None,
    ) -> T:
        try:
            return await anyio.to_thread.run_sync(work, *args, limiter=limiter or self._others)
        except OSError as error:
            raise RuntimeUnavailable(
                f"Engines in {self.directory} cannot be managed: {error.strerror}. Running engines"
                " are not affected. Retry the request."
            ) from error


def new_record(
    spec: EngineSpec, argv: tuple[str, ...], *, label: tuple[str, str], bind_address: str
) -> ProcessRecord:
    """Return the record of a process that is to be started.

    The management label overrides the spec's labels.
    """
    name, value = label
    return ProcessRecord(
        id=secrets.token_hex(32),
        name=spec.name,
        image=spec.image,
        command=argv,
        created_at=utc_now(),
        bind_address=bind_address,
        env=dict(spec.env),
        labels={**spec.labels, name: value},
        ports=spec.ports,
        memory_limit_bytes=spec.memory_limit_bytes,
        restarts=spec.restarts,
    )


def utc_now() -> datetime:
    """Return the present time, as used in records and events."""
    return datetime.now(UTC)


def _frozen(records: Sequence[ProcessRecord]) -> frozenset[str]:
    return frozenset(each.id for each in records if _is_frozen(each))


def _is_frozen(record: ProcessRecord) -> bool:
    stat = procfs.stat_of(record.process.pid) if record.process is not None else None
    return stat is not None and stat.state in "Tt"
