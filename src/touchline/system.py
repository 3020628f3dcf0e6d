"""Start order of the server's parts; shutdown is the reverse."""

from __future__ import annotations

import fcntl
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, nullcontext
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from touchline.capture import Capture, open_capture
from touchline.core.database.database import Database, open_database
from touchline.core.descriptors import SpareDescriptors
from touchline.core.errors import Failed, Refused
from touchline.core.events.log import EventLog, open_events
from touchline.core.history.answers import MetricsSeries
from touchline.core.history.saved import SavedHistory, open_history
from touchline.core.looplag import open_loop_watch
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor
from touchline.core.tasks import Keep
from touchline.engines import Engines, open_engines
from touchline.settings import Settings

LOCK_FILE = "touchline.lock"
REFILL_S = 1.0


@dataclass(frozen=True)
class System:
    """All parts that exist while the server runs."""

    settings: Settings
    capture: Capture
    engines: Engines
    events: EventLog
    metrics: Metrics
    database: Database
    history: SavedHistory
    supervisor: Supervisor


HISTORY = tuple(MetricsSeries.__annotations__)
"""Metrics that are kept for a week."""


def _figures(capture: Capture, engines: Engines) -> dict[str, float | None]:
    fleet = engines.fleet
    return {
        **capture.machine.figures(),
        "engines": float(len(fleet.managed())),
        "streams": float(len(fleet.started())),
    }


@asynccontextmanager
async def open_system(settings: Settings) -> AsyncIterator[System]:
    """Open all parts of the server in order, and close them in reverse."""
    metrics = Metrics()
    async with (
        hold_data_dir(settings.data_dir),
        open_database(settings.database_url) as database,
        open_events(database, metrics) as events,
        nullcontext(Supervisor(events.record, metrics, half="server")) as supervisor,
        hold_spare_descriptors(metrics, supervisor.keep) as spare,
        open_engines(
            settings.engines,
            data_dir=settings.data_dir,
            database=database,
            events=events,
            metrics=metrics,
            keeps_minimum=settings.engines_configured,
            debug=settings.log.level == "debug",
            environ={**settings.docker_variables, **os.environ},
        ) as engines,
        open_capture(
            settings.capture,
            data_dir=settings.data_dir,
            log_dir=settings.log_dir,
            events=events,
            metrics=metrics,
            spare=spare,
        ) as capture,  # last of the critical parts, so that it is closed first
        open_history(
            HISTORY,
            partial(_figures, capture, engines),
            settings.data_dir,
            keep=supervisor.keep,
        ) as history,
        open_loop_watch(metrics, keep=supervisor.keep),
    ):
        yield System(
            settings=settings,
            capture=capture,
            engines=engines,
            events=events,
            metrics=metrics,
            database=database,
            history=history,
            supervisor=supervisor,
        )


@asynccontextmanager
async def hold_spare_descriptors(metrics: Metrics, keep: Keep) -> AsyncIterator[SpareDescriptors]:
    """Reserve descriptors for recordings, whatever else uses up the others."""
    spare = SpareDescriptors()
    metrics.gauge(
        "touchline_spare_descriptors", "File descriptors reserved for starting workers"
    ).set_function(lambda: spare.held)
    async with anyio.create_task_group() as tasks:
        refill = partial(_refill, spare)
        tasks.start_soon(partial(keep, "spare descriptors", refill, every_s=REFILL_S))
        try:
            yield spare
        finally:
            tasks.cancel_scope.cancel()
            spare.close()


async def _refill(spare: SpareDescriptors) -> None:
    spare.refill()


@asynccontextmanager
async def hold_data_dir(data_dir: Path) -> AsyncIterator[None]:
    """Create and lock the data directory: two servers would compete for the same workers.

    The lock ends with the process, however that ends, so a crash leaves nothing to clean up. Raises
    Refused if another server has it, Failed if it cannot be created.
    """
    descriptor = await anyio.to_thread.run_sync(_lock, data_dir)
    try:
        yield
    finally:
        os.close(descriptor)


def _lock(data_dir: Path) -> int:
    try:
        data_dir.mkdir(parents=True, exist_ok=True)
        descriptor = os.open(data_dir / LOCK_FILE, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    except OSError as error:
        raise Failed(
            f"The data directory {data_dir} cannot be used: {error.strerror}. Choose"
            " another one with --data, or give this user write permission.",
            code="data_dir_unusable",
        ) from error
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        owner = os.pread(descriptor, 20, 0).decode("ascii", "replace").strip()
        os.close(descriptor)
        if not isinstance(error, BlockingIOError):
            raise Failed(
                f"The data directory {data_dir} cannot be locked: {error.strerror}",
                code="data_dir_unusable",
            ) from error
        raise Refused(
            f"Another touchline server (process {owner or 'unknown'}) is using {data_dir}."
            " Stop it, or choose another directory with --data.",
            code="data_dir_in_use",
        ) from error
    os.truncate(descriptor, 0)
    os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)
    return descriptor
