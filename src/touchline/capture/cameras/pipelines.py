"""Construction of a camera's pipeline from its settings.

Pure: the same input gives the same pipeline.
"""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

from touchline.capture.encoding.encoders import choose_encoder
from touchline.capture.encoding.encoding import Encoding
from touchline.capture.settings.tree import CaptureSettings
from touchline.capture.sources.kinds import PROBED_ELEMENTS, Source
from touchline.capture.sources.source import PipelineContext
from touchline.core.errors import Failed
from touchline.ipc.wire import PipelineSpec


def build_pipeline(
    camera_id: int,
    source: Source,
    settings: CaptureSettings,
    elements: Collection[str],
    *,
    scenes: Path | None = None,
) -> PipelineSpec:
    """Return the pipeline for one camera on a machine that has `elements`.

    `scenes` is the folder with the simulated cameras' pitches. Raises Failed when a required
    element is missing.
    """
    encoding = Encoding(
        choose_encoder(settings.encoder, elements),
        source.quality or settings.quality,
        source.bitrate_kbps,
    )
    empty = PipelineSpec(
        kind=source.kind,
        source=(),
        stall_after_s=settings.stall_after_s,
        start_timeout_s=settings.start_timeout_s,
        retry_pause_max_s=settings.recovery_pause_max_s,
        retry_limit=settings.recovery_max_attempts,
    )
    spec = source.pipeline(empty, PipelineContext(camera_id, encoding, scenes))
    for element in spec.source:
        if element.factory in PROBED_ELEMENTS and element.factory not in elements:
            raise Failed(
                f"Camera {camera_id} ({source.kind}) needs the GStreamer element"
                f" {element.factory}, which is not installed.",
                code="element_missing",
                element=element.factory,
                camera_id=camera_id,
            )
    return spec
