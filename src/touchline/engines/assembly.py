"""The parts of the engines half, put together: each is given what it needs and no more."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any

import anyio
from anyio.abc import TaskGroup

from touchline.core.errors import Failed, TouchlineError
from touchline.core.events.log import EventLog
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor
from touchline.core.tasks import Changed
from touchline.engines.control.control import DEMAND, Control
from touchline.engines.control.gauges import Gauges
from touchline.engines.control.plan import policy_of
from touchline.engines.control.reconciler import Reconciler
from touchline.engines.control.replacements import Replacements
from touchline.engines.control.reprovision import NOTHING_LEFT, Reprovision
from touchline.engines.control.status import StatusBoard
from touchline.engines.fleet.acestream import AceStreamClient
from touchline.engines.fleet.adoption import Surroundings, facts_of, restored_external
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.ports import PortBook, Probe
from touchline.engines.fleet.record import Load, read_record
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
from touchline.engines.vpn.facts import VpnView, p2p_port_of
from touchline.engines.vpn.vpn import VpnWatch

log = logging.getLogger(__name__)

BREAKERS = "breakers"
MADE_OF = "made_of"
ROUNDS = "rounds"
END_GRACE_S = 3.0
REPROVISION = "reprovision"
FORGET_EVERY_S = 60.0
CLEAN_EVERY_S = 10.0
ASK_TIMEOUT_S = 3.0
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
        now, now_s = clock.now, clock.now_s
        self._clock = clock
        self._settings, self._runtime = settings, runtime
        self._client, self._store, self._samples = client, store, samples
        self._variants = variants
        self._told: list[str] = []  # of the deployment
        self._restored: list[str] = []  # streams of an earlier server
        self._load = load
        supervisor = self._supervisor = Supervisor(events.record, metrics)
        fleet = self._fleet = Fleet()
        breaker = settings.breaker
        self._breakers = {
            "general": Breaker(
                threshold=breaker.failure_threshold, recovery_timeout_s=breaker.recovery_timeout_s
            ),
            "replacement": Breaker(
                threshold=breaker.replacement_threshold,
                recovery_timeout_s=breaker.replacement_timeout_s,
            ),
        }
        self._vpn = None
        if settings.vpn.names:
            self._vpn = VpnWatch(
                settings=settings.vpn,
                runtime=runtime,
                control=control,
                engines_answer=self._engines_reach_the_network,
                restart=partial(runtime.restart, grace_s=RESTART_GRACE_S)
                if isinstance(runtime, Restarts)
                else None,
                reach=self._reach,
                events=events,
                supervisor=supervisor,
                now=now,
                now_s=now_s,
                nudge=self._nudge,
            )
        vpns = VpnView(self._vpn, fleet)
        around = Surroundings(
            deployment=lambda: runtime.deployment,
            vpn=self._vpn_instance,
            advertise_host=settings.advertise_host,
            reach_host=settings.reach_host,
        )
        ports = self._ports = PortBook(probe, now_s=now_s)
        self._streams = StreamDesk(
            fleet=fleet,
            machine=Machine(now_s=now_s),
            vpn=self._vpn_instance,
            deployment=lambda: runtime.deployment,
            store=store,
            samples=samples,
            client=client,
            events=events,
            metrics=metrics,
            now=now,
            now_s=now_s,
            nudge=self._nudge,
        )
        self.keeper = Keeper(
            runtime=runtime,
            fleet=fleet,
            streams=self._streams,
            ports=ports,
            store=store,
            events=events,
            around=around,
            resync_s=settings.scaling.resync_s,
            now=now,
            now_s=now_s,
            nudge=self._nudge,
            on_event=self._heard,
            on_return=self._returned,
            on_death=self._died,
        )
        self._remover = Remover(
            runtime=runtime,
            fleet=fleet,
            keeper=self.keeper,
            streams=self._streams,
            ports=ports,
            store=store,
            events=events,
        )
        self._admission = Admission(
            settings=settings,
            fleet=fleet,
            breaker=self._breakers["general"],
            vpn=self._vpn,
            ports=ports,
            now_s=now_s,
        )
        workshop = Workshop(
            settings=settings,
            ports=ports,
            vpns=vpns,
            recipe=self._recipe,
            publishes_ports=runtime.publishes_ports and _network_of(settings) != HOST_NETWORK,
            shares_machine=runtime.kind == "process",
        )
        self._launcher = Launcher(
            runtime=runtime,
            fleet=fleet,
            keeper=self.keeper,
            ports=ports,
            workshop=workshop,
            client=client,
            around=around,
            startup_timeout_s=settings.scaling.startup_timeout_s,
            clock=clock,
        )
        self._provisioner = Provisioner(
            runtime=runtime,
            fleet=fleet,
            keeper=self.keeper,
            admission=self._admission,
            workshop=workshop,
            launcher=self._launcher,
            breaker=self._breakers["general"],
            events=events,
            metrics=metrics,
            settings=settings,
            clock=clock,
            choose_spare=self._spare,
            save_breakers=self._save_breakers,
            nudge=self._nudge,
        )
        self._reprovision = Reprovision(
            fleet,
            events,
            now=now,
            blocked=self._why_blocked,
            nudge=self._nudge,
            keep=lambda left_to_do: self._store.save_state(REPROVISION, left_to_do),
            remember=lambda left_to_do: self._store.note_state(REPROVISION, left_to_do),
        )
        self._replacements = Replacements(events, save=self._save_breakers, now_s=now_s)
        self._reconciler = Reconciler(
            fleet=fleet,
            provisioner=self._provisioner,
            remover=self._remover,
            vpns=vpns,
            breakers=self._breakers,
            replacements=self._replacements,
            events=events,
            metrics=metrics,
            policy=policy_of(settings, keeps_minimum=keeps_minimum),
            replacement_cooldown_s=settings.health.replacement_cooldown_s,
            is_current=self._is_current,
            save_breakers=self._save_breakers,
            after_each=self._reprovision.once,
            supervisor=supervisor,
            now=now,
            now_s=now_s,
        )
        self._health = HealthWatch(
            fleet=fleet,
            client=client,
            store=store,
            events=events,
            metrics=metrics,
            settings=settings.health,
            supervisor=supervisor,
            now=now,
            now_s=now_s,
            nudge=self._nudge,
        )
        self._collector = Collector(
            fleet=fleet,
            streams=self._streams,
            samples=samples,
            client=client,
            metrics=metrics,
            settings=settings.collector,
            supervisor=supervisor,
            now=now,
            now_s=now_s,
            answered=self._health.answered,
        )
        self._usage = UsageBook(runtime, fleet, now_s=now_s)
        self._cleaner = CacheCleaner(runtime, fleet, store, now=now)
        self._status = StatusBoard(
            settings=settings,
            fleet=fleet,
            admission=self._admission,
            breakers=self._breakers,
            vpn=self._vpn,
            last_failure=lambda: self._provisioner.last_failure,
            debug=debug,
            variant=lambda: self._recipe().name,
            save_breakers=self._save_breakers,
            start_anew=self._start_anew,
            nudge=self._nudge,
            supervisor=supervisor,
            now=now,
            now_s=now_s,
        )
        self._control = Control(
            runtime=runtime,
            fleet=fleet,
            admission=self._admission,
            provisioner=self._provisioner,
            remover=self._remover,
            reconciler=self._reconciler,
            streams=self._streams,
            store=store,
            events=events,
            settings=settings,
            now_s=now_s,
        )
        metrics.add_source(Gauges(settings, fleet, samples, self._vpn))
        if left is not None:
            self._take_up(left)
        else:
            store.hold()

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
        tasks.start_soon(self._supervisor.guard, "Taking up the record", self._take_up_later)
        if self._vpn is not None:
            repeat("Watching the VPN", self._vpn.wait_and_look)
            repeat("Following the VPN", partial(self._follow_vpn, self._vpn))

    async def _end_starts(self) -> None:
        """Wait for the end of this half, and end what clients have left under way."""
        try:
            await anyio.sleep_forever()
        finally:
            with anyio.CancelScope(shield=True):
                await self._provisioner.close()

    def breaker_records(self) -> dict[str, Any]:
        """What the next server has to know of them."""
        now_s = self._clock.now_s()
        records: dict[str, Any] = {n: each.record(now_s) for n, each in self._breakers.items()}
        return {**records, ROUNDS: self._replacements.records(), MADE_OF: self._made_of}

    @property
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

    def _nudge(self) -> None:
        self._reconciler.nudge()

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

    async def _engines_reach_the_network(self, vpn: str) -> bool | None:
        """Whether any engine of this VPN does; None: there is none to ask."""
        behind = [engine for engine in self._fleet.ours() if engine.vpn_container == vpn]
        answers: list[bool] = []

        async def ask(engine: Engine) -> None:
            try:
                answers.append(
                    await self._client.network_connected(engine.api_url, within_s=ASK_TIMEOUT_S)
                )
            except Exception:  # noqa: BLE001  (whatever it is, this engine did not say yes)
                answers.append(False)
            if answers[-1]:
                tasks.cancel_scope.cancel()  # one is enough

        async with anyio.create_task_group() as tasks:
            for engine in behind:
                tasks.start_soon(ask, engine)
        return any(answers) if behind else None

    async def _follow_engines(self) -> None:
        seen = self._fleet.roster_changed.version
        self._health.follow()
        await self._fleet.roster_changed.wait(seen)

    async def _follow_streams(self) -> None:
        seen = self._fleet.roster_changed.version
        self._collector.follow()
        await self._fleet.roster_changed.wait(seen)

    async def _follow_vpn(self, vpn: VpnWatch) -> None:
        seen = vpn.changed.version
        ports = {each.name: each.forwarded_port for each in vpn.vpns}
        self._fleet.set_lost_vpns(frozenset(each.name for each in vpn.vpns if each.is_lost))
        self._fleet.set_forwarded_ports({k: port for k, port in ports.items() if port is not None})
        for engine in list(self._fleet.ours()):
            port = ports.get(engine.vpn_container or "")
            if engine.forwarded and port is not None and p2p_port_of(engine) != port:
                # The port that it was made with leads nowhere any more.
                self._fleet.change(engine.id, forwarded=False)
        await vpn.changed.wait(seen)

    async def _forget(self) -> None:
        await self._streams.forget_old()

    # ------------------------------------------------------------------ what was left

    async def _take_up_later(self) -> None:
        """Read the record, if it is not read yet, and then the samples of what plays."""
        if not self._fleet.record_is_read:
            await read_record(self._load, self._take_up)
            log.info("What an earlier server left of engines and streams is read now")
            self._nudge()
        await self._restore_samples()

    def _take_up(self, left: Loaded) -> None:
        now, now_s = self._clock.now(), self._clock.now_s()
        self._store.release()
        for engine_id, facts in left.engines.items():
            external = restored_external(engine_id, facts, now=now, now_s=now_s)
            if external is not None and self._fleet.find(engine_id) is None:
                self._fleet.put(external)
        for stream in left.streams:
            if self._fleet.find_stream(stream.id) is None:
                self._fleet.put_stream(stream)
                self._restored.append(stream.id)
        self._take_up_state(left.state, now_s)
        self._fleet.record_is_read = True
        self.keeper.remember(left.engines)

    def _take_up_state(self, state: Mapping[str, Any], now_s: float) -> None:
        """Each by itself: one that cannot be understood is left, and the others count."""

        def breakers() -> None:
            records = state.get(BREAKERS, {})
            if records.get(MADE_OF, self._made_of) != self._made_of:
                log.info("The runtime or the image is another one: circuit breakers are closed")
                return
            self._replacements.restore(records.get(ROUNDS, ()))
            for name, record in records.items():
                if name in self._breakers and not self._breakers[name].failures:
                    self._breakers[name].restore(record, now_s)

        def reprovision() -> None:
            self._reprovision.go_on(state.get(REPROVISION, NOTHING_LEFT))

        def demand() -> None:
            number = state.get(DEMAND)
            if self._reconciler.demand is None and isinstance(number, int) and number >= 0:
                self._reconciler.demand = number

        for take_up in (breakers, reprovision, demand):
            try:
                take_up()
            except Exception as error:  # noqa: BLE001  (whatever stands in the database)
                self._supervisor.note("Taking up the record", error, about=take_up.__name__)

    async def _restore_samples(self) -> None:
        """Bring earlier samples back, without holding anybody up."""
        for stream_id in self._restored:
            if self._fleet.find_stream(stream_id) is None:
                continue
            try:
                blocks = await self._store.load_samples(stream_id)
            except Failed as error:
                log.warning("Earlier samples cannot be read: %s", error.message)
                return
            newest = self._samples.restore(stream_id, blocks)
            if newest is not None:
                self._fleet.measured(stream_id, newest)

    def note_everything(self) -> None:
        """Note all that the record should hold: it is another one now, and empty."""
        self._store.note_streams(self._fleet.streams(), ())
        for engine in self._fleet.engines():
            self._store.note_engine(engine.id, facts_of(engine))
        self._store.note_state(BREAKERS, self.breaker_records())
        self._store.note_state(REPROVISION, self._reprovision.left)
        if self._reconciler.demand is not None:
            self._store.note_state(DEMAND, self._reconciler.demand)


def _network_of(settings: EnginesSettings) -> str | None:
    runtime = settings.runtime
    docker = runtime.docker if isinstance(runtime, AutoRuntimeSettings) else runtime
    return docker.network if isinstance(docker, DockerRuntimeSettings) else None
