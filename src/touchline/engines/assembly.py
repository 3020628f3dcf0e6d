"""The parts of the engines half, put together: each is given what it needs and no more."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup

from touchline.core.errors import TouchlineError
from touchline.core.events.log import EventLog
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor
from touchline.core.tasks import Changed
from touchline.engines.control.control import Control
from touchline.engines.control.gauges import Gauges
from touchline.engines.control.plan import Policy, policy_of
from touchline.engines.control.reconciler import Reconciler
from touchline.engines.control.replacements import Replacements
from touchline.engines.control.reprovision import Reprovision
from touchline.engines.control.status import StatusBoard
from touchline.engines.fleet.acestream import AceStreamClient
from touchline.engines.fleet.adoption import Surroundings
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.ports import PortBook, Probe
from touchline.engines.fleet.record import Load
from touchline.engines.fleet.rows import Loaded
from touchline.engines.fleet.samples import SampleBook
from touchline.engines.fleet.store import Store
from touchline.engines.front import Engines
from touchline.engines.model.addresses import HOST_NETWORK, Address, sentences, server_address
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import Engine, Instance, RuntimeEvent
from touchline.engines.model.places import Machine
from touchline.engines.model.runtime import Restarts, Runtime
from touchline.engines.monitoring.cache import CacheCleaner
from touchline.engines.monitoring.health import HealthWatch
from touchline.engines.monitoring.usage import EVERY_S, UsageBook
from touchline.engines.provisioning.admission import Admission
from touchline.engines.provisioning.breaker import Breaker
from touchline.engines.provisioning.keeper import Keeper
from touchline.engines.provisioning.launcher import Launcher
from touchline.engines.provisioning.provisioner import Provisioner
from touchline.engines.provisioning.remover import Remover
from touchline.engines.provisioning.workshop import Workshop
from touchline.engines.restoration import BREAKERS, REPROVISION, Restoration
from touchline.engines.settings.runtimes import (
    AutoRuntimeSettings,
    DockerRuntimeSettings,
)
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.streams.collector import Collector
from touchline.engines.streams.content import ContentDesk
from touchline.engines.streams.reports import StreamDesk
from touchline.engines.variants.variants import Recipe
from touchline.engines.variants.variantstore import VariantStore
from touchline.engines.vpn.control import VpnControl
from touchline.engines.vpn.facts import VpnView
from touchline.engines.vpn.fleet import engines_reach_network, follow_vpns
from touchline.engines.vpn.vpn import VpnWatch

log = logging.getLogger(__name__)

END_GRACE_S = 3.0
FORGET_EVERY_S = 60.0
CLEAN_EVERY_S = 10.0
RESTART_GRACE_S = 10.0


class Half:
    """The parts, put together; each is given only what it needs."""

    def __init__(
        self,
        settings: EnginesSettings,
        *,
        runtime: Runtime,
        client: AceStreamClient,
        control: VpnControl,
        store: Store,
        samples: SampleBook,
        variants: VariantStore,
        events: EventLog,
        metrics: Metrics,
        keeps_minimum: bool,
        debug: bool,
        left: Loaded | None,
        load: Load,
        clock: Clock,
        probe: Probe | None,
    ) -> None:
        """`left` is what an earlier server left; None: it is not known, and `load` reads it."""
        self._clock = clock
        self._settings, self._runtime = settings, runtime
        self._client, self._store, self._samples = client, store, samples
        self._variants = variants
        self._vpn_control = control
        self._events, self._metrics = events, metrics
        self._told: list[str] = []  # of the deployment
        self._reconciler_wakeup = Changed()
        self._supervisor = Supervisor(events.record, metrics)
        self._fleet = Fleet()
        self._breakers = _breakers_of(settings)
        self._open_vpn()
        self._open_fleet(probe)
        self._open_provisioning()
        self._open_control(policy_of(settings, keeps_minimum=keeps_minimum), debug=debug)
        self._open_monitoring()
        self._restoration = Restoration(
            fleet=self._fleet,
            store=store,
            samples=samples,
            keeper=self.keeper,
            reconciler=self._reconciler,
            replacements=self._replacements,
            reprovision=self._reprovision,
            breakers=self._breakers,
            supervisor=self._supervisor,
            load=load,
            clock=clock,
            made_of=self._made_of,
        )
        metrics.add_source(Gauges(settings, self._fleet, samples, self._vpn))
        if left is not None:
            self._restoration.take_up(left)
        else:
            store.hold()

    def _open_vpn(self) -> None:
        self._vpn: VpnWatch | None = None
        if self._settings.vpn.names:
            self._vpn = VpnWatch(
                settings=self._settings.vpn,
                runtime=self._runtime,
                control=self._vpn_control,
                engines_answer=partial(engines_reach_network, self._fleet, self._client),
                restart=partial(self._runtime.restart, grace_s=RESTART_GRACE_S)
                if isinstance(self._runtime, Restarts)
                else None,
                reach=self._reach,
                events=self._events,
                supervisor=self._supervisor,
                now=self._clock.now,
                now_s=self._clock.now_s,
                reconciler_wakeup=self._reconciler_wakeup,
            )

    def _open_fleet(self, probe: Probe | None) -> None:
        self._vpns = VpnView(self._vpn, self._fleet)
        self._around = Surroundings(
            deployment=lambda: self._runtime.deployment,
            vpn=self._vpn_instance,
            advertise_host=self._settings.advertise_host,
            reach_host=self._settings.reach_host,
        )
        self._ports = PortBook(probe, now_s=self._clock.now_s)
        self._streams = StreamDesk(
            fleet=self._fleet,
            machine=Machine(now_s=self._clock.now_s),
            vpn=self._vpn_instance,
            deployment=lambda: self._runtime.deployment,
            store=self._store,
            samples=self._samples,
            client=self._client,
            events=self._events,
            metrics=self._metrics,
            now=self._clock.now,
            now_s=self._clock.now_s,
            reconciler_wakeup=self._reconciler_wakeup,
        )
        self.keeper = Keeper(
            runtime=self._runtime,
            fleet=self._fleet,
            streams=self._streams,
            ports=self._ports,
            store=self._store,
            events=self._events,
            around=self._around,
            resync_s=self._settings.scaling.resync_s,
            now=self._clock.now,
            now_s=self._clock.now_s,
            reconciler_wakeup=self._reconciler_wakeup,
            on_event=self._heard,
            on_return=self._returned,
            on_death=self._died,
        )

    def _open_provisioning(self) -> None:
        self._remover = Remover(
            runtime=self._runtime,
            fleet=self._fleet,
            keeper=self.keeper,
            streams=self._streams,
            ports=self._ports,
            store=self._store,
            events=self._events,
        )
        self._admission = Admission(
            settings=self._settings,
            fleet=self._fleet,
            breaker=self._breakers["general"],
            vpn=self._vpn,
            ports=self._ports,
            now_s=self._clock.now_s,
        )
        workshop = Workshop(
            settings=self._settings,
            ports=self._ports,
            vpns=self._vpns,
            recipe=self._recipe,
            publishes_ports=self._runtime.publishes_ports
            and _network_of(self._settings) != HOST_NETWORK,
            shares_machine=self._runtime.kind == "process",
        )
        self._launcher = Launcher(
            runtime=self._runtime,
            fleet=self._fleet,
            keeper=self.keeper,
            ports=self._ports,
            workshop=workshop,
            client=self._client,
            around=self._around,
            startup_timeout_s=self._settings.scaling.startup_timeout_s,
            clock=self._clock,
        )
        self._provisioner = Provisioner(
            runtime=self._runtime,
            fleet=self._fleet,
            keeper=self.keeper,
            admission=self._admission,
            workshop=workshop,
            launcher=self._launcher,
            breaker=self._breakers["general"],
            events=self._events,
            metrics=self._metrics,
            settings=self._settings,
            clock=self._clock,
            choose_spare=self._spare,
            save_breakers=self._save_breakers,
            reconciler_wakeup=self._reconciler_wakeup,
        )

    def _open_control(self, policy: Policy, *, debug: bool) -> None:
        self._reprovision = Reprovision(
            self._fleet,
            self._events,
            now=self._clock.now,
            blocked=self._why_blocked,
            reconciler_wakeup=self._reconciler_wakeup,
            keep=lambda left_to_do: self._store.save_state(REPROVISION, left_to_do),
            remember=lambda left_to_do: self._store.note_state(REPROVISION, left_to_do),
        )
        self._replacements = Replacements(
            self._events, save=self._save_breakers, now_s=self._clock.now_s
        )
        self._reconciler = Reconciler(
            fleet=self._fleet,
            provisioner=self._provisioner,
            remover=self._remover,
            vpns=self._vpns,
            breakers=self._breakers,
            replacements=self._replacements,
            events=self._events,
            metrics=self._metrics,
            policy=policy,
            replacement_cooldown_s=self._settings.health.replacement_cooldown_s,
            is_current=self._is_current,
            save_breakers=self._save_breakers,
            after_each=self._reprovision.once,
            wakeup=self._reconciler_wakeup,
            supervisor=self._supervisor,
            now=self._clock.now,
            now_s=self._clock.now_s,
        )
        self._open_answers(debug=debug)

    def _open_answers(self, *, debug: bool) -> None:
        self._status = StatusBoard(
            settings=self._settings,
            fleet=self._fleet,
            admission=self._admission,
            breakers=self._breakers,
            vpn=self._vpn,
            last_failure=lambda: self._provisioner.last_failure,
            debug=debug,
            variant=lambda: self._recipe().name,
            save_breakers=self._save_breakers,
            start_anew=self._start_anew,
            reconciler_wakeup=self._reconciler_wakeup,
            supervisor=self._supervisor,
            now=self._clock.now,
            now_s=self._clock.now_s,
        )
        self._control = Control(
            runtime=self._runtime,
            fleet=self._fleet,
            admission=self._admission,
            provisioner=self._provisioner,
            remover=self._remover,
            reconciler=self._reconciler,
            streams=self._streams,
            store=self._store,
            events=self._events,
            settings=self._settings,
            now_s=self._clock.now_s,
        )

    def _open_monitoring(self) -> None:
        self._health = HealthWatch(
            fleet=self._fleet,
            client=self._client,
            store=self._store,
            events=self._events,
            metrics=self._metrics,
            settings=self._settings.health,
            supervisor=self._supervisor,
            now=self._clock.now,
            now_s=self._clock.now_s,
            reconciler_wakeup=self._reconciler_wakeup,
        )
        self._collector = Collector(
            fleet=self._fleet,
            streams=self._streams,
            samples=self._samples,
            client=self._client,
            metrics=self._metrics,
            settings=self._settings.collector,
            supervisor=self._supervisor,
            now=self._clock.now,
            now_s=self._clock.now_s,
            answered=self._health.answered,
        )
        self._usage = UsageBook(self._runtime, self._fleet, now_s=self._clock.now_s)
        self._cleaner = CacheCleaner(self._runtime, self._fleet, self._store, now=self._clock.now)

    def front(self) -> Engines:
        """What others may ask."""
        return Engines(
            settings=self._settings,
            fleet=self._fleet,
            samples=self._samples,
            streams=self._streams,
            provisioner=self._provisioner,
            control=self._control,
            usage=self._usage,
            status=self._status,
            content=ContentDesk(self._fleet, self._streams, self._client, now=self._clock.now),
            variants=self._variants,
            reprovision=self._reprovision,
            vpn_changed=self._vpn.changed if self._vpn is not None else Changed(),
            runtime_kind=self._runtime.kind,
            _runtime=self._runtime,
            _now_s=self._clock.now_s,
        )

    def run(self, tasks: TaskGroup) -> None:
        """Begin everything that goes on by itself."""

        def repeat(name: str, once: Callable[[], Awaitable[Any]], every_s: float = 0.0) -> None:
            tasks.start_soon(partial(self._supervisor.keep, name, once, every_s=every_s))

        repeat("Following the runtime", self.keeper.run)
        tasks.start_soon(self._end_starts)
        tasks.start_soon(self._reconciler.run)
        repeat("Checking engines' health", self._health.run)
        repeat("Collecting samples", self._collector.run)
        repeat("Following the engines", self._follow_engines)
        repeat("Following the streams", self._follow_streams)
        repeat("Measuring engines", self._usage.once, EVERY_S)
        repeat("Cleaning caches", self._cleaner.once, CLEAN_EVERY_S)
        repeat("Forgetting ended streams", self._forget, FORGET_EVERY_S)
        tasks.start_soon(self._supervisor.guard, "Taking up the record", self._restoration.run)
        if self._vpn is not None:
            repeat("Watching the VPN", self._vpn.wait_and_look)
            repeat("Following the VPN", partial(follow_vpns, self._fleet, self._vpn))

    async def _end_starts(self) -> None:
        """Wait for the end of this half, and end what clients have left under way."""
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await self._provisioner.close()

    def breaker_records(self) -> dict[str, Any]:
        """Return what the next server has to know of breakers and rounds of replacements."""
        return self._restoration.breaker_records()

    def note_everything(self) -> None:
        """Note all that the record should hold: it is another one now, and empty."""
        self._restoration.note_everything()

    def _made_of(self) -> str:
        """What starts depend on: with another runtime or image earlier failures say nothing."""
        return f"{self._runtime.kind} {self._recipe().image}"

    def running(self) -> int:
        """How many engines of ours run, as far as is known."""
        return len(self._fleet.ours())

    async def stop_all(self) -> None:
        """Stop every engine of ours, after everything else has ended.

        The runtime is asked which there are: one whose start was cancelled as it ended, or that an
        earlier server left, may be in no list of ours.
        """

        async def stop(engine_id: str) -> None:
            await self._runtime.stop(engine_id, grace_s=END_GRACE_S)
            if self._fleet.find(engine_id) is not None:
                self._fleet.remove(engine_id)
                self._streams.end_lost(engine_id, "server_ended")

        running = {engine.id for engine in self._fleet.ours()}
        try:
            running |= {each.id for each in await self._runtime.list()}
        except TouchlineError as error:
            log.warning("Engines that run on cannot be listed: %s", error.message)
        async with anyio.create_task_group() as tasks:
            for engine_id in running:
                tasks.start_soon(self._supervisor.guard, "Stopping an engine", stop, engine_id)

    # ------------------------------------------------------------------ between the parts

    def _spare(self) -> Engine | None:
        return self._reconciler.spare()

    def _returned(self) -> None:
        told = sentences(self._runtime.deployment, advertise_host=self._settings.advertise_host)
        if told != self._told:
            self._told = told
            for sentence in told:
                log.info("%s", sentence)
        self._health.begin_anew()

    def _start_anew(self) -> None:
        self._reconciler.start_anew()

    def _died(self, engine: Engine, exit_code: int | None) -> None:
        self._replacements.engine_died(engine, exit_code)

    def _heard(self, event: RuntimeEvent) -> None:
        if event.kind == "died":
            self._fleet.flights.instance_died(event.name, event.exit_code)
        if self._vpn is not None:
            self._vpn.look_soon(event.name)

    def _save_breakers(self) -> None:
        self._store.note_state(BREAKERS, self.breaker_records())

    def _recipe(self) -> Recipe:
        config, active = self._variants.config, self._variants.active
        return Recipe(
            self._settings,
            custom=config if config.enabled else None,
            template_name=active.name if active is not None else None,
        )

    def _is_current(self, engine: Engine) -> bool:
        # Engines are replaced when that is asked for, not when the configuration is saved.
        return engine.id not in self._reprovision.outdated

    def _why_blocked(self) -> str | None:
        refusal = self._admission.vpn_refusal() or self._admission.breaker_refusal()
        return refusal.message if refusal is not None else None

    def _vpn_instance(self, name: str) -> Instance | None:
        return self._vpn.instance(name) if self._vpn is not None else None

    def _reach(self, instance: Instance, port: int) -> Address | None:
        reach_host = self._settings.reach_host
        return server_address(instance, port, self._runtime.deployment, reach_host=reach_host)

    async def _follow_engines(self) -> None:
        seen = self._fleet.roster_changed.version
        self._health.follow()
        await self._fleet.roster_changed.wait(seen)

    async def _follow_streams(self) -> None:
        seen = self._fleet.roster_changed.version
        self._collector.follow()
        await self._fleet.roster_changed.wait(seen)

    async def _forget(self) -> None:
        await self._streams.forget_old()


def _network_of(settings: EnginesSettings) -> str | None:
    runtime = settings.runtime
    docker = runtime.docker if isinstance(runtime, AutoRuntimeSettings) else runtime
    return docker.network if isinstance(docker, DockerRuntimeSettings) else None


def _breakers_of(settings: EnginesSettings) -> dict[str, Breaker]:
    breaker = settings.breaker
    return {
        "general": Breaker(
            threshold=breaker.failure_threshold, recovery_timeout_s=breaker.recovery_timeout_s
        ),
        "replacement": Breaker(
            threshold=breaker.replacement_threshold,
            recovery_timeout_s=breaker.replacement_timeout_s,
        ),
    }
