"""Provisioning, monitoring and replacement of streaming engines.

`open_engines` starts the engines half; all other code uses only the `Engines` that it yields.
"""

from __future__ import annotations

from touchline.engines.control.answers import RemovedInstance, ReprovisionStatus
from touchline.engines.control.selection import SelectOrder
from touchline.engines.demo import demo_engines
from touchline.engines.fleet.acestream import SessionGone
from touchline.engines.front import Engines
from touchline.engines.model.answers import (
    ContainerInspection,
    EngineState,
    EngineWithStreams,
    StreamState,
    StreamStatSnapshot,
)
from touchline.engines.model.listing import Body, rfc3339
from touchline.engines.model.model import Instance, Stream
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.model.rendering import inspection_json, sample_json, stream_json
from touchline.engines.model.runtime import ImageNotFound, StartTimeout
from touchline.engines.monitoring.answers import EngineUsage, EngineUsageTotal
from touchline.engines.monitoring.usage import total, usage_json
from touchline.engines.opening import open_engines
from touchline.engines.readiness import engine_readiness
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.status.answers import EngineHealth, OrchestratorStatus, Readiness
from touchline.engines.status.board import reason_json
from touchline.engines.streams.answers import LivePosition, StreamDetails
from touchline.engines.streams.report import StreamReport
from touchline.engines.variants.answers import PlatformInfo, TemplateContent, TemplateList
from touchline.engines.variants.catalogue import CatalogueEntry
from touchline.engines.variants.customvariant import (
    ConfigInvalid,
    ShownConfig,
    VariantConfig,
    hidden,
)
from touchline.engines.variants.variantstore import config_of
from touchline.engines.vpn.answers import VpnStatus

__all__ = [
    "Body",
    "CatalogueEntry",
    "ConfigInvalid",
    "ContainerInspection",
    "EngineHealth",
    "EngineOrder",
    "EngineState",
    "EngineUsage",
    "EngineUsageTotal",
    "EngineWithStreams",
    "Engines",
    "EnginesSettings",
    "GenericOrder",
    "ImageNotFound",
    "Instance",
    "LivePosition",
    "OrchestratorStatus",
    "PlatformInfo",
    "Readiness",
    "RemovedInstance",
    "ReprovisionStatus",
    "SelectOrder",
    "SessionGone",
    "ShownConfig",
    "StartTimeout",
    "Stream",
    "StreamDetails",
    "StreamReport",
    "StreamStatSnapshot",
    "StreamState",
    "TemplateContent",
    "TemplateList",
    "VariantConfig",
    "VpnStatus",
    "config_of",
    "demo_engines",
    "engine_readiness",
    "hidden",
    "inspection_json",
    "open_engines",
    "reason_json",
    "rfc3339",
    "sample_json",
    "stream_json",
    "total",
    "usage_json",
]
