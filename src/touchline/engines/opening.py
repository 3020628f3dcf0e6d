"""Startup of the engines half, part by part.

Shutdown follows the reverse order.
"""

from __future__ import annotations

import errno
import logging
import platform
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path

import anyio

from touchline.core.database.database import Database
from touchline.core.errors import Failed, Invalid
from touchline.core.events.log import EventLog
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor
from touchline.engines.assembly import EnginesLifecycle
from touchline.engines.fleet.acestream import open_acestream
from touchline.engines.fleet.ports import bind_probe
from touchline.engines.fleet.record import Load
from touchline.engines.fleet.rows import Loaded
from touchline.engines.fleet.samples import BLOCK, SampleBook
from touchline.engines.fleet.store import Store, open_store
from touchline.engines.front import Engines
from touchline.engines.model.clock import Clock
from touchline.engines.model.runtime import Runtime
from touchline.engines.parts import Parts, Resources
from touchline.engines.runtimes import OpeningContext, open_runtime
from touchline.engines.runtimes.auto import AutoRuntimeSettings
from touchline.engines.runtimes.kinds import RuntimeSettings, kind_of
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.streams.reports import KEPT_S
from touchline.engines.variants.customvariant import platform_of
from touchline.engines.variants.variantstore import open_variants
from touchline.engines.vpn.control import open_vpn_control

log = logging.getLogger(__name__)

STOP_WITHIN_S = 15.0
FIRST_LIST_S = 3.0
"""Seconds that the startup waits for the first list of the runtime.

The server's port opens after the list, or after this time.
"""


@asynccontextmanager
async def open_engines(
    settings: EnginesSettings,
    *,
    data_dir: Path,
    database: Database,
    events: EventLog,
    metrics: Metrics,
    keeps_minimum: bool,
    debug: bool = False,
    environ: Mapping[str, str] | None = None,
) -> AsyncIterator[Engines]:
    """Open the engines half on this database.

    Engines keep running when it is closed, and if the server crashes. Without `keeps_minimum` none
    is started unless a client requests one. Raises Invalid if the settings cannot work here, Failed
    if the data directory cannot be used.
    """
    clock = Clock()
    samples = SampleBook(settings.collector.history)
    async with (
        open_variants(data_dir / "variants", platform=platform_of(platform.machine())) as variants,
        open_runtime(
            _runtime_for(settings, wanted=keeps_minimum),
            _opening_context(settings, data_dir, environ),
        ) as runtime,
        open_acestream(concurrency=settings.collector.concurrency) as client,
        open_vpn_control(settings.vpn) as control,
        open_store(
            database,
            events,
            blocks=samples.take_unsaved_blocks,
            kept_blocks=settings.collector.history // BLOCK + 1,
            keep=Supervisor(events.record, metrics).keep,
        ) as store,
    ):
        load = partial(_load, store, clock)
        resources = Resources(
            runtime=runtime,
            client=client,
            vpn_control=control,
            store=store,
            load=load,
            samples=samples,
            variants=variants,
            events=events,
            metrics=metrics,
            clock=clock,
            probe=partial(_find_taken_ports, runtime),
        )
        parts = Parts(settings, resources, keeps_minimum=keeps_minimum, debug=debug)
        parts.restoration.try_to_take_up(await _load_earlier_record(load))
        half = EnginesLifecycle(parts)
        async with _running(half, stops=settings.scaling.stop_at_end) as front:
            yield front


@asynccontextmanager
async def _running(half: EnginesLifecycle, *, stops: bool) -> AsyncIterator[Engines]:
    try:
        async with anyio.create_task_group() as tasks:
            half.run(tasks)
            await half.runtime_sync.first_list(FIRST_LIST_S)
            try:
                yield half.front()
            finally:
                tasks.cancel_scope.cancel()
    finally:
        # Everything that could have started another engine has ended.
        half.note_failures()
        await _stop_if_configured(half, stops=stops)


def _find_taken_ports(runtime: Runtime, ports: Iterable[int]) -> set[int]:
    """Return the engine ports used by other programs, if engines run on this machine."""
    deployment, wanted, found = runtime.deployment, list(ports), set[int]()
    if not deployment.knows_machine:
        return found
    for each in deployment.bind_addresses:
        try:
            found |= bind_probe(each)(wanted)
        except OSError as error:
            # The address has left this machine, which the runtime reports when it publishes there.
            if error.errno != errno.EADDRNOTAVAIL:
                raise
    return found


async def _stop_if_configured(half: EnginesLifecycle, *, stops: bool) -> None:
    """Stop the engines at an orderly shutdown, if that is configured.

    Otherwise they keep running.
    """
    with anyio.CancelScope(shield=True), anyio.move_on_after(STOP_WITHIN_S):
        if stops:
            await half.stop_all()
    if left := half.running():
        log.info(
            "%d engines keep running; the next server with this data directory adopts them", left
        )


def _opening_context(
    settings: EnginesSettings, data_dir: Path, environ: Mapping[str, str] | None
) -> OpeningContext:
    return OpeningContext(
        data_dir=data_dir,
        label=settings.management_label,
        bind_address=settings.ports.bind_address,
        bind_is_default="bind_address" not in settings.ports.model_fields_set,
        also=settings.vpn.names,
        environ=environ,
    )


async def _load(store: Store, clock: Clock) -> Loaded:
    return await store.load(clock.now(), kept_s=KEPT_S)


async def _load_earlier_record(load: Load) -> Loaded | None:
    """Return the record of an earlier server; None if it can only be read later."""
    try:
        return await load()
    except Failed as error:
        log.error("Streams of an earlier server cannot be read yet: %s", error.message)
    except Exception:  # the server starts in any case
        log.exception("Streams of an earlier server cannot be read yet")
    return None


def _runtime_for(settings: EnginesSettings, *, wanted: bool) -> RuntimeSettings:
    """Return the runtime settings to use.

    They are the configured ones, or Docker's if engines can only be containers, whether Docker is
    available now or not: with a VPN, or if engines are `wanted` and either an image or no program
    is configured. Docker may start after this server, which then waits for it.
    """
    runtime = settings.runtime
    if not settings.vpn.names:
        if isinstance(runtime, AutoRuntimeSettings) and wanted:
            has_program = bool(runtime.process.command or runtime.process.programs)
            if not has_program or settings.image.name is not None:
                log.info(
                    "Waiting for Docker: no engine program is configured, so engines can only run"
                    " as containers"
                )
                return runtime.docker
        return runtime
    if isinstance(runtime, AutoRuntimeSettings):
        return runtime.docker
    if not kind_of(runtime).can_use_vpn:
        raise Invalid(
            "engines.vpn requires containers: set engines.runtime.kind to docker, or unset the VPN",
            code="vpn_needs_docker",
        )
    return runtime
