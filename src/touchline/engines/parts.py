"""Construction of the engines half's parts, in the order of their dependencies."""

from __future__ import annotations

import logging
from functools import partial

from touchline.core.events.log import EventLog
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor
from touchline.core.tasks import Changed
from touchline.engines.control.control import Control
from touchline.engines.control.plan import Policy, policy_of
from touchline.engines.control.reconciler import Reconciler
from touchline.engines.control.replacements import Replacements
from touchline.engines.control.reprovision import Reprovision
from touchline.engines.fleet.acestream import AceStreamClient
from touchline.engines.fleet.adoption import Surroundings
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.ports import PortBook, Probe
from touchline.engines.fleet.record import Load
from touchline.engines.fleet.rows import Loaded
from touchline.engines.fleet.samples import SampleBook
from touchline.engines.fleet.store import Store
from touchline.engines.model.addresses import HOST_NETWORK, Address, sentences, server_address
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import Engine, Instance, RuntimeEvent
from touchline.engines.model.places import Machine
from touchline.engines.model.runtime import Restarts, Runtime
from touchline.engines.monitoring.cache import CacheCleaner
from touchline.engines.monitoring.health import EngineProbes
from touchline.engines.monitoring.usage import UsageBook
from touchline.engines.provisioning.admission import Admission
from touchline.engines.provisioning.breaker import Breaker
from touchline.engines.provisioning.launcher import Launcher
from touchline.engines.provisioning.provisioner import Provisioner
from touchline.engines.provisioning.remover import Remover
from touchline.engines.provisioning.runtimesync import RuntimeSync
from touchline.engines.provisioning.specbuilder import SpecBuilder
from touchline.engines.restoration import BREAKERS, REPROVISION, Restoration
from touchline.engines.runtimes.kinds import network_of
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.status.board import StatusBoard
from touchline.engines.status.gauges import Gauges
from touchline.engines.streams.collector import Collector
from touchline.engines.streams.reports import StreamReports
from touchline.engines.variants.variants import Recipe
from touchline.engines.variants.variantstore import VariantStore
from touchline.engines.vpn.control import VpnControl
from touchline.engines.vpn.facts import VpnView
from touchline.engines.vpn.fleet import engines_reach_network
from touchline.engines.vpn.vpn import VpnWatch

log = logging.getLogger(__name__)

RESTART_GRACE_S = 10.0


class Parts:
    """Parts of the engines half, each with only the dependencies it needs."""

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
        """Create all parts.

        `left` is the record of an earlier server; None: it is not known, and `load` reads it.
        """
        self.clock = clock
        self.settings, self.runtime = settings, runtime
        self.client, self.store, self.samples = client, store, samples
        self.variants = variants
        self.vpn_control = control
        self.events, self.metrics = events, metrics
        self._logged: list[str] = []  # about the deployment
        self.reconciler_wakeup = Changed()
        self.supervisor = Supervisor(events.record, metrics)
        self.fleet = Fleet()
        self.breakers = _breakers_of(settings)
        self._open_vpn()
        self._open_fleet(probe)
        self._open_provisioning()
        self._open_control(policy_of(settings, keeps_minimum=keeps_minimum), debug=debug)
        self._open_monitoring()
        self.restoration = Restoration(
            fleet=self.fleet,
            store=store,
            samples=samples,
            runtime_sync=self.runtime_sync,
            reconciler=self.reconciler,
            replacements=self.replacements,
            reprovision=self.reprovision,
            breakers=self.breakers,
            supervisor=self.supervisor,
            load=load,
            clock=clock,
            made_of=self._made_of,
        )
        metrics.add_source(Gauges(settings, self.fleet, samples, self.vpn))
        self.restoration.try_to_take_up(left)

    def _open_vpn(self) -> None:
        self.vpn: VpnWatch | None = None
        if self.settings.vpn.names:
            self.vpn = VpnWatch(
                settings=self.settings.vpn,
                runtime=self.runtime,
                control=self.vpn_control,
                engines_answer=partial(engines_reach_network, self.fleet, self.client),
                restart=partial(self.runtime.restart, grace_s=RESTART_GRACE_S)
                if isinstance(self.runtime, Restarts)
                else None,
                reach=self._reach,
                events=self.events,
                supervisor=self.supervisor,
                clock=self.clock,
                reconciler_wakeup=self.reconciler_wakeup,
            )

    def _open_fleet(self, probe: Probe | None) -> None:
        self.vpns = VpnView(self.vpn, self.fleet)
        self.around = Surroundings(
            deployment=lambda: self.runtime.deployment,
            vpn=self._vpn_instance,
            advertise_host=self.settings.advertise_host,
            reach_host=self.settings.reach_host,
        )
        self.ports = PortBook(probe, now_s=self.clock.now_s)
        self.streams = StreamReports(
            fleet=self.fleet,
            machine=Machine(now_s=self.clock.now_s),
            vpn=self._vpn_instance,
            deployment=lambda: self.runtime.deployment,
            store=self.store,
            samples=self.samples,
            client=self.client,
            events=self.events,
            metrics=self.metrics,
            clock=self.clock,
            reconciler_wakeup=self.reconciler_wakeup,
        )
        self.runtime_sync = RuntimeSync(
            runtime=self.runtime,
            fleet=self.fleet,
            streams=self.streams,
            ports=self.ports,
            store=self.store,
            events=self.events,
            around=self.around,
            resync_s=self.settings.scaling.resync_s,
            clock=self.clock,
            reconciler_wakeup=self.reconciler_wakeup,
            on_event=self._on_event,
            on_return=self._on_return,
            on_death=self._on_death,
        )

    def _open_provisioning(self) -> None:
        self.remover = Remover(
            runtime=self.runtime,
            fleet=self.fleet,
            runtime_sync=self.runtime_sync,
            streams=self.streams,
            ports=self.ports,
            store=self.store,
            events=self.events,
        )
        self.admission = Admission(
            settings=self.settings,
            fleet=self.fleet,
            breaker=self.breakers["general"],
            vpn=self.vpn,
            ports=self.ports,
            now_s=self.clock.now_s,
        )
        spec_builder = SpecBuilder(
            settings=self.settings,
            ports=self.ports,
            vpns=self.vpns,
            recipe=self._recipe,
            publishes_ports=self.runtime.publishes_ports
            and network_of(self.settings.runtime) != HOST_NETWORK,
            shares_machine=self.runtime.shares_machine,
        )
        self.launcher = Launcher(
            runtime=self.runtime,
            fleet=self.fleet,
            runtime_sync=self.runtime_sync,
            ports=self.ports,
            spec_builder=spec_builder,
            client=self.client,
            around=self.around,
            startup_timeout_s=self.settings.scaling.startup_timeout_s,
            clock=self.clock,
        )
        self.provisioner = Provisioner(
            runtime=self.runtime,
            fleet=self.fleet,
            runtime_sync=self.runtime_sync,
            admission=self.admission,
            spec_builder=spec_builder,
            launcher=self.launcher,
            breaker=self.breakers["general"],
            events=self.events,
            metrics=self.metrics,
            settings=self.settings,
            clock=self.clock,
            choose_spare=self._spare,
            save_breakers=self._save_breakers,
            reconciler_wakeup=self.reconciler_wakeup,
        )

    def _open_control(self, policy: Policy, *, debug: bool) -> None:
        self.reprovision = Reprovision(
            self.fleet,
            self.events,
            now=self.clock.now,
            blocked=self._why_blocked,
            reconciler_wakeup=self.reconciler_wakeup,
            keep=lambda left_to_do: self.store.save_state(REPROVISION, left_to_do),
            remember=lambda left_to_do: self.store.note_state(REPROVISION, left_to_do),
        )
        self.replacements = Replacements(
            self.events, save=self._save_breakers, now_s=self.clock.now_s
        )
        self.reconciler = Reconciler(
            fleet=self.fleet,
            provisioner=self.provisioner,
            remover=self.remover,
            vpns=self.vpns,
            breakers=self.breakers,
            replacements=self.replacements,
            events=self.events,
            metrics=self.metrics,
            policy=policy,
            replacement_cooldown_s=self.settings.health.replacement_cooldown_s,
            reprovision=self.reprovision,
            save_breakers=self._save_breakers,
            wakeup=self.reconciler_wakeup,
            supervisor=self.supervisor,
            clock=self.clock,
        )
        self._open_answers(debug=debug)

    def _open_answers(self, *, debug: bool) -> None:
        self.status = StatusBoard(
            settings=self.settings,
            fleet=self.fleet,
            admission=self.admission,
            breakers=self.breakers,
            vpn=self.vpn,
            last_failure=lambda: self.provisioner.last_failure,
            debug=debug,
            variant=lambda: self._recipe().name,
            save_breakers=self._save_breakers,
            start_anew=self._start_anew,
            reconciler_wakeup=self.reconciler_wakeup,
            supervisor=self.supervisor,
            clock=self.clock,
        )
        self.control = Control(
            runtime=self.runtime,
            fleet=self.fleet,
            admission=self.admission,
            provisioner=self.provisioner,
            remover=self.remover,
            reconciler=self.reconciler,
            streams=self.streams,
            store=self.store,
            events=self.events,
            settings=self.settings,
            now_s=self.clock.now_s,
        )

    def _open_monitoring(self) -> None:
        self.health = EngineProbes(
            fleet=self.fleet,
            client=self.client,
            store=self.store,
            events=self.events,
            metrics=self.metrics,
            settings=self.settings.health,
            supervisor=self.supervisor,
            clock=self.clock,
            reconciler_wakeup=self.reconciler_wakeup,
        )
        self.collector = Collector(
            fleet=self.fleet,
            streams=self.streams,
            samples=self.samples,
            client=self.client,
            metrics=self.metrics,
            settings=self.settings.collector,
            supervisor=self.supervisor,
            clock=self.clock,
            answered=self.health.answered,
        )
        self.usage = UsageBook(self.runtime, self.fleet, now_s=self.clock.now_s)
        self.cleaner = CacheCleaner(
            self.runtime,
            self.fleet,
            self.store,
            supervisor=self.supervisor,
            now=self.clock.now,
        )

    def _made_of(self) -> str:
        """Return what starts depend on.

        After a change of runtime or image, earlier failures are not relevant.
        """
        return f"{self.runtime.kind} {self._recipe().image}"

    def _spare(self) -> Engine | None:
        return self.reconciler.spare()

    def _on_return(self) -> None:
        current = sentences(self.runtime.deployment, advertise_host=self.settings.advertise_host)
        if current != self._logged:
            self._logged = current
            for sentence in current:
                log.info("%s", sentence)
        self.health.begin_anew()

    def _start_anew(self) -> None:
        self.reconciler.start_anew()

    def _on_death(self, engine: Engine, exit_code: int | None) -> None:
        self.replacements.engine_died(engine, exit_code)

    def _on_event(self, event: RuntimeEvent) -> None:
        if event.kind == "died":
            self.fleet.flights.instance_died(event.name, event.exit_code)
        if self.vpn is not None:
            self.vpn.look_soon(event.name)

    def _save_breakers(self) -> None:
        self.store.note_state(BREAKERS, self.restoration.breaker_records())

    def _recipe(self) -> Recipe:
        config, active = self.variants.config, self.variants.active
        return Recipe(
            self.settings,
            custom=config if config.enabled else None,
            template_name=active.name if active is not None else None,
        )

    def _why_blocked(self) -> str | None:
        refusal = self.admission.vpn_refusal() or self.admission.breaker_refusal()
        return refusal.message if refusal is not None else None

    def _vpn_instance(self, name: str) -> Instance | None:
        return self.vpn.instance(name) if self.vpn is not None else None

    def _reach(self, instance: Instance, port: int) -> Address | None:
        reach_host = self.settings.reach_host
        return server_address(instance, port, self.runtime.deployment, reach_host=reach_host)


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
