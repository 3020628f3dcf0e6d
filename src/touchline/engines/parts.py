"""Construction of the engines half, package by package, in the order of their dependencies."""

from __future__ import annotations

import logging
from dataclasses import dataclass
from functools import partial

from touchline.core.events.log import EventLog
from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor
from touchline.engines.control.control import Control
from touchline.engines.control.executor import PlanExecutor
from touchline.engines.control.journal import PlanJournal
from touchline.engines.control.plan import Policy, policy_of
from touchline.engines.control.reconciler import Reconciler
from touchline.engines.control.replacements import Replacements
from touchline.engines.control.reprovision import Reprovision
from touchline.engines.control.retries import StartRetries
from touchline.engines.control.selection import EngineSelection
from touchline.engines.fleet.acestream import AceStreamClient
from touchline.engines.fleet.adoption import Surroundings
from touchline.engines.fleet.failures import FailureRecord
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.ports import PortBook, Probe
from touchline.engines.fleet.record import Load
from touchline.engines.fleet.samples import SampleBook
from touchline.engines.fleet.store import Store
from touchline.engines.model.addresses import HOST_NETWORK, Address, sentences, server_address
from touchline.engines.model.clock import Clock
from touchline.engines.model.model import Engine, Instance, RuntimeEvent
from touchline.engines.model.runtime import Runtime
from touchline.engines.monitoring.cache import CacheCleaner
from touchline.engines.monitoring.health import EngineProbes
from touchline.engines.monitoring.usage import UsageBook
from touchline.engines.provisioning.admission import Admission
from touchline.engines.provisioning.breaker import Breakers
from touchline.engines.provisioning.enginefacts import FleetView
from touchline.engines.provisioning.launcher import Launcher
from touchline.engines.provisioning.provisioner import Provisioner
from touchline.engines.provisioning.remover import Remover
from touchline.engines.provisioning.roster import Roster
from touchline.engines.provisioning.runtimesync import RuntimeSync
from touchline.engines.provisioning.specbuilder import SpecBuilder
from touchline.engines.restoration import REPROVISION, Restoration
from touchline.engines.runtimes.kinds import network_of
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.status.board import StatusBoard
from touchline.engines.status.gauges import Gauges
from touchline.engines.status.readiness import ReadinessReport
from touchline.engines.streams.collector import Collector
from touchline.engines.streams.reports import StreamReports
from touchline.engines.variants.variantstore import Recipes, VariantStore
from touchline.engines.vpn.control import VpnControl
from touchline.engines.vpn.facts import VpnView
from touchline.engines.vpn.fleet import engines_reach_network
from touchline.engines.vpn.vpn import VpnWatch

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Resources:
    """What was opened for the engines half, and is closed after it."""

    runtime: Runtime
    client: AceStreamClient
    vpn_control: VpnControl
    store: Store
    load: Load
    """Reads the record of an earlier server."""
    samples: SampleBook
    variants: VariantStore
    events: EventLog
    metrics: Metrics
    clock: Clock
    probe: Probe | None
    """Returns which ports are used by other programs."""


class Base:
    """What all packages build on: the fleet in memory, its surroundings, and the supervisor."""

    def __init__(self, settings: EnginesSettings, resources: Resources) -> None:
        self.settings, self.resources = settings, resources
        self.fleet = Fleet()
        self.supervisor = Supervisor(resources.events.record, resources.metrics)
        self.recipes = Recipes(settings, resources.variants)
        self.failures = FailureRecord(resources.store, self._fingerprint)
        self.vpn = self._watch_vpns() if settings.vpn.names else None
        self.around = Surroundings(
            deployment=lambda: resources.runtime.deployment,
            vpn=self._vpn_instance,
            advertise_host=settings.advertise_host,
            reach_host=settings.reach_host,
        )
        self.streams = StreamReports(
            fleet=self.fleet,
            around=self.around,
            store=resources.store,
            samples=resources.samples,
            client=resources.client,
            events=resources.events,
            metrics=resources.metrics,
            clock=resources.clock,
        )

    def _watch_vpns(self) -> VpnWatch:
        resources = self.resources
        return VpnWatch(
            settings=self.settings.vpn,
            runtime=resources.runtime,
            control=resources.vpn_control,
            engines_answer=partial(engines_reach_network, self.fleet, resources.client),
            reach=self._reach,
            events=resources.events,
            supervisor=self.supervisor,
            clock=resources.clock,
        )

    def _fingerprint(self) -> str:
        return f"{self.resources.runtime.kind} {self.recipes.current().image}"

    def _vpn_instance(self, name: str) -> Instance | None:
        return self.vpn.instance(name) if self.vpn is not None else None

    def _reach(self, instance: Instance, port: int) -> Address | None:
        deployment, reach_host = self.resources.runtime.deployment, self.settings.reach_host
        return server_address(instance, port, deployment, reach_host=reach_host)


class Monitoring:
    """Health checks, statistics, resource usage and cache cleaning."""

    def __init__(self, base: Base) -> None:
        settings, resources, fleet = base.settings, base.resources, base.fleet
        self.probes = EngineProbes(
            fleet=fleet,
            client=resources.client,
            store=resources.store,
            events=resources.events,
            metrics=resources.metrics,
            settings=settings.health,
            supervisor=base.supervisor,
            clock=resources.clock,
        )
        self.collector = Collector(
            fleet=fleet,
            streams=base.streams,
            client=resources.client,
            metrics=resources.metrics,
            settings=settings.collector,
            supervisor=base.supervisor,
            clock=resources.clock,
            answered=self.probes.answered,
        )
        self.usage = UsageBook(resources.runtime, fleet, now_s=resources.clock.now_s)
        self.cleaner = CacheCleaner(
            resources.runtime,
            fleet,
            resources.store,
            supervisor=base.supervisor,
            now=resources.clock.now,
        )


class RuntimeReactions:
    """Reactions to the runtime outside the fleet: checks, VPNs, and delayed replacements."""

    def __init__(self, base: Base, probes: EngineProbes, replacements: Replacements) -> None:
        self._runtime = base.resources.runtime
        self._advertise_host = base.settings.advertise_host
        self._vpn = base.vpn
        self._probes = probes
        self._replacements = replacements
        self._told: list[str] = []  # of the deployment

    def runtime_returned(self) -> None:
        """Log how engines are reached, and check them again."""
        told = sentences(self._runtime.deployment, advertise_host=self._advertise_host)
        if told != self._told:
            self._told = told
            for sentence in told:
                log.info("%s", sentence)
        self._probes.begin_anew()

    def event_received(self, event: RuntimeEvent) -> None:
        """Check a VPN soon that something has happened to."""
        if self._vpn is not None:
            self._vpn.look_soon(event.name)

    def engine_died(self, engine: Engine, exit_code: int | None) -> None:
        """Delay replacements if engines die again and again."""
        self._replacements.engine_died(engine, exit_code)


class EngineProvisioning:
    """The way in and the way out, and the fleet in step with the runtime."""

    def __init__(self, base: Base, reactions: RuntimeReactions) -> None:
        settings, resources, fleet = base.settings, base.resources, base.fleet
        runtime, clock = resources.runtime, resources.clock
        self.ports = PortBook(resources.probe, now_s=clock.now_s)
        self.roster = Roster(fleet, base.streams, self.ports, resources.store)
        self.breakers = Breakers(
            settings.breaker, failures=base.failures, events=resources.events, clock=clock
        )
        self.admission = Admission(
            settings=settings,
            fleet=fleet,
            breakers=self.breakers,
            vpn=base.vpn,
            ports=self.ports,
            now_s=clock.now_s,
        )
        vpns = VpnView(base.vpn, fleet)
        self.view = FleetView(fleet, vpns, now_s=clock.now_s)
        self.runtime_sync = RuntimeSync(
            runtime=runtime,
            fleet=fleet,
            roster=self.roster,
            events=resources.events,
            around=base.around,
            resync_s=settings.scaling.resync_s,
            clock=clock,
            listener=reactions,
        )
        self.remover = Remover(
            runtime=runtime,
            fleet=fleet,
            runtime_sync=self.runtime_sync,
            roster=self.roster,
            events=resources.events,
        )
        self.launcher = self._launcher(base, vpns)
        self.provisioner = Provisioner(
            fleet=fleet,
            view=self.view,
            admission=self.admission,
            launcher=self.launcher,
            events=resources.events,
            metrics=resources.metrics,
            settings=settings.scaling,
            now_s=clock.now_s,
        )

    def _launcher(self, base: Base, vpns: VpnView) -> Launcher:
        settings, runtime = base.settings, base.resources.runtime
        spec_builder = SpecBuilder(
            settings=settings,
            ports=self.ports,
            vpns=vpns,
            recipes=base.recipes,
            publishes_ports=runtime.publishes_ports
            and network_of(settings.runtime) != HOST_NETWORK,
            shares_machine=runtime.shares_machine,
        )
        return Launcher(
            runtime=runtime,
            fleet=base.fleet,
            runtime_sync=self.runtime_sync,
            spec_builder=spec_builder,
            client=base.resources.client,
            around=base.around,
            startup_timeout_s=settings.scaling.startup_timeout_s,
            clock=base.resources.clock,
        )


class FleetControl:
    """Reconciliation, and what operators and proxies request of the fleet."""

    def __init__(
        self,
        base: Base,
        provisioning: EngineProvisioning,
        replacements: Replacements,
        *,
        keeps_minimum: bool,
    ) -> None:
        settings, resources, fleet = base.settings, base.resources, base.fleet
        now_s, admission = resources.clock.now_s, provisioning.admission
        self.reprovision = Reprovision(
            fleet,
            resources.events,
            now=resources.clock.now,
            blocked=admission.why_blocked,
            keep=partial(resources.store.save_state, REPROVISION),
            remember=partial(resources.store.note_state, REPROVISION),
        )
        self.retries = StartRetries(
            fleet,
            provisioning.breakers,
            replacements,
            replacement_cooldown_s=settings.health.replacement_cooldown_s,
            clock=resources.clock,
        )
        self.executor = PlanExecutor(
            fleet=fleet,
            provisioner=provisioning.provisioner,
            remover=provisioning.remover,
            retries=self.retries,
            supervisor=base.supervisor,
            now_s=now_s,
        )
        self.reconciler = self._reconciler(
            base, provisioning.view, policy_of(settings, keeps_minimum=keeps_minimum)
        )
        self.selection = EngineSelection(
            fleet=fleet,
            view=provisioning.view,
            admission=admission,
            provisioner=provisioning.provisioner,
            events=resources.events,
            settings=settings.scaling,
            now_s=now_s,
        )
        self.control = Control(
            runtime=resources.runtime,
            fleet=fleet,
            remover=provisioning.remover,
            reconciler=self.reconciler,
            streams=base.streams,
            store=resources.store,
            events=resources.events,
            settings=settings,
        )

    def _reconciler(self, base: Base, view: FleetView, policy: Policy) -> Reconciler:
        resources, fleet = base.resources, base.fleet
        return Reconciler(
            fleet=fleet,
            view=view,
            policy=policy,
            retries=self.retries,
            executor=self.executor,
            reprovision=self.reprovision,
            journal=PlanJournal(
                resources.events, resources.metrics, fleet, min_engines=policy.min_engines
            ),
            now_s=resources.clock.now_s,
        )


class Parts:
    """Parts of the engines half, each with only what it needs."""

    def __init__(
        self, settings: EnginesSettings, resources: Resources, *, keeps_minimum: bool, debug: bool
    ) -> None:
        """Create all parts. Without `keeps_minimum` no engine is started by itself."""
        self.resources = resources
        self.base = base = Base(settings, resources)
        replacements = Replacements(resources.events, base.failures, now_s=resources.clock.now_s)
        self.monitoring = Monitoring(base)
        reactions = RuntimeReactions(base, self.monitoring.probes, replacements)
        self.provisioning = EngineProvisioning(base, reactions)
        self.control = FleetControl(
            base, self.provisioning, replacements, keeps_minimum=keeps_minimum
        )
        self.status = StatusBoard(
            settings=settings,
            fleet=base.fleet,
            admission=self.provisioning.admission,
            vpn=base.vpn,
            recipes=base.recipes,
            target=lambda: self.control.reconciler.target,
            debug=debug,
            clock=resources.clock,
        )
        self.readiness = ReadinessReport(
            base.fleet,
            self.provisioning.admission,
            self.provisioning.provisioner,
            base.supervisor,
        )
        self.restoration = Restoration(
            fleet=base.fleet,
            store=resources.store,
            samples=resources.samples,
            runtime_sync=self.provisioning.runtime_sync,
            reconciler=self.control.reconciler,
            reprovision=self.control.reprovision,
            failures=base.failures,
            supervisor=base.supervisor,
            load=resources.load,
            clock=resources.clock,
        )
        resources.metrics.add_source(Gauges(settings, base.fleet, resources.samples, base.vpn))
