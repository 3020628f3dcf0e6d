"""Provisioning, monitoring and replacement of streaming engines.

`open_engines` starts the engines half; all other code uses only the `Engines` that it yields.
"""

from __future__ import annotations

from touchline.engines.control.actions import Reason
from touchline.engines.control.control import SelectOrder
from touchline.engines.control.status import reason_json
from touchline.engines.demo import demo_engines
from touchline.engines.fleet.acestream import SessionGone
from touchline.engines.front import Engines
from touchline.engines.model.listing import Body, rfc3339
from touchline.engines.model.model import Instance, Stream
from touchline.engines.model.orders import EngineOrder, GenericOrder
from touchline.engines.model.rendering import inspection_json, sample_json, stream_json
from touchline.engines.model.runtime import ImageNotFound, StartTimeout
from touchline.engines.monitoring.usage import total, usage_json
from touchline.engines.opening import open_engines
from touchline.engines.readiness import engine_readiness
from touchline.engines.settings.tree import EnginesSettings
from touchline.engines.streams.report import StreamReport
from touchline.engines.variants.customvariant import (
    ARM_VERSIONS,
    PARAMETER_TYPES,
    PLATFORMS,
    ConfigInvalid,
    CustomConfig,
    hidden,
)
from touchline.engines.variants.variantstore import config_of

__all__ = [
    "ARM_VERSIONS",
    "PARAMETER_TYPES",
    "PLATFORMS",
    "Body",
    "ConfigInvalid",
    "CustomConfig",
    "EngineOrder",
    "Engines",
    "EnginesSettings",
    "GenericOrder",
    "ImageNotFound",
    "Instance",
    "Reason",
    "SelectOrder",
    "SessionGone",
    "StartTimeout",
    "Stream",
    "StreamReport",
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
