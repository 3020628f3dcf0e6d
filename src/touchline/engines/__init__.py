"""The engines half: provisions streaming engines, watches, measures and replaces them.

`open_engines` brings it to life; the `Engines` it yields is all that others use.
"""

from __future__ import annotations

from touchline.engines.acestream import SessionGone
from touchline.engines.control import SelectOrder
from touchline.engines.customvariant import (
    ARM_VERSIONS,
    PARAMETER_TYPES,
    PLATFORMS,
    ConfigInvalid,
    CustomConfig,
    hidden,
)
from touchline.engines.demo import demo_engines
from touchline.engines.front import Engines
from touchline.engines.frontdoor import open_engines
from touchline.engines.listing import Body, rfc3339
from touchline.engines.model import Instance, Stream
from touchline.engines.orders import EngineOrder, GenericOrder
from touchline.engines.plan import Reason
from touchline.engines.readiness import engine_readiness
from touchline.engines.rendering import inspection_json, sample_json, stream_json
from touchline.engines.runtimes.protocol import ImageNotFound, StartTimeout
from touchline.engines.settings import EnginesSettings
from touchline.engines.status import reason_json
from touchline.engines.streamdesk import StreamReport
from touchline.engines.usage import total, usage_json
from touchline.engines.variantstore import config_of

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
