"""Public interface of the engines half."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from touchline.core.errors import NotFound
from touchline.core.tasks import Changed
from touchline.engines.control.control import Control
from touchline.engines.control.reprovision import Reprovision
from touchline.engines.control.retries import StartRetries
from touchline.engines.control.selection import EngineSelection
from touchline.engines.fleet.fleet import Fleet
from touchline.engines.fleet.samples import SampleBook
from touchline.engines.model.model import Instance
from touchline.engines.model.runtime import InstanceNotFound, Runtime
from touchline.engines.monitoring.usage import UsageBook
from touchline.engines.provisioning.provisioner import Provisioner
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.status.board import StatusBoard
from touchline.engines.status.readiness import ReadinessReport
from touchline.engines.streams.content import ContentInfo
from touchline.engines.streams.reports import StreamReports
from touchline.engines.variants.answers import PlatformInfo
from touchline.engines.variants.catalogue import CATALOGUE, CatalogueEntry
from touchline.engines.variants.customvariant import PLATFORMS
from touchline.engines.variants.variantstore import VariantStore


@dataclass(frozen=True)
class Engines:
    """Interface of the engines half to all other code."""

    settings: EnginesSettings
    fleet: Fleet
    samples: SampleBook
    streams: StreamReports
    provisioner: Provisioner
    control: Control
    selection: EngineSelection
    retries: StartRetries
    usage: UsageBook
    status: StatusBoard
    readiness: ReadinessReport
    content: ContentInfo
    variants: VariantStore
    reprovision: Reprovision
    vpn_changed: Changed
    runtime_kind: str
    _runtime: Runtime
    _now_s: Callable[[], float]

    def stale_s(self) -> float | None:
        """Return the age of the runtime data; None while it is current."""
        return self.fleet.freshness.stale_s(self._now_s())

    async def inspect(self, reference: str) -> Instance:
        """Return a container, managed or not. Raises NotFound, RuntimeUnavailable."""
        try:
            return await self._runtime.inspect(reference)
        except InstanceNotFound as error:
            raise NotFound("container not found", code="container_not_found") from error

    def is_managed(self, instance: Instance) -> bool:
        """Return whether it carries our label."""
        name, value = self.settings.management_label
        return instance.labels.get(name) == value

    def list_by_label(self, key: str, value: str) -> Sequence[Instance]:
        """Return managed containers whose label equals the value, from memory."""
        return [each for each in self.fleet.instances() if each.labels.get(key) == value]

    def catalogue(self) -> list[CatalogueEntry]:
        """Return the known engine parameters."""
        return [parameter.to_json() for parameter in CATALOGUE]

    def platform(self) -> PlatformInfo:
        """Return this machine's platform, and all supported ones."""
        return {"platform": self.variants.platform, "supported_platforms": list(PLATFORMS)}
