"""CSI cameras of NVIDIA Jetson modules."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field

from touchline.capture.encoding.encoders import nvmm_caps
from touchline.capture.encoding.encoding import RAW_QUEUE_FRAMES, raw_queue
from touchline.capture.encoding.picture import Height, Width
from touchline.capture.sources.source import BaseSource, PipelineContext
from touchline.ipc.wire import Element, PipelineSpec, Value

# Buffers in Jetson memory come from a pool of a few; a longer queue would starve the camera.
_NVMM_QUEUE_FRAMES = 3
_FPS = Fraction(30)


class ArgusSource(BaseSource):
    """CSI camera of an NVIDIA Jetson. Its frame rate depends on the light, so it has no `fps`."""

    elements: ClassVar = ("nvarguscamerasrc", "nvvidconv")

    kind: Literal["argus"]
    sensor_id: int | None = Field(
        None, ge=0, le=63, description="Sensor number. Default: the number of the camera."
    )
    sensor_mode: int = Field(
        0, ge=-1, le=255, description="Sensor mode; -1 lets the driver choose."
    )
    width: Width = 3840
    height: Height = 2160
    exposure_compensation: float = Field(
        0.0,
        ge=-2.0,
        le=2.0,
        description="Exposure compensation in stops; positive values are brighter.",
    )

    def pipeline(self, spec: PipelineSpec, context: PipelineContext) -> PipelineSpec:
        """Complete the specification. Frames stay in Jetson memory for its hardware encoder."""
        camera: dict[str, Value] = {
            "sensor-id": context.camera_id if self.sensor_id is None else self.sensor_id,
            "sensor-mode": self.sensor_mode,
            "tnr-mode": 1,
            "ee-mode": 1,
            "wbmode": 1,
            "aelock": False,
            "aeantibanding": 3,
            "exposurecompensation": self.exposure_compensation,
            "exposuretimerange": "13000 33000000",
            "gainrange": "1 16",
            "ispdigitalgainrange": "1 1",
            "saturation": 1.0,
        }
        width, height = self.width, self.height
        elements = [
            Element("nvarguscamerasrc", camera),
            nvmm_caps(f"width={width},height={height}"),
        ]
        if crop := self.crop.within(width, height):
            right, bottom = width - crop.right, height - crop.bottom
            # nvvidconv takes the corners of the remaining area, not the removed margins.
            corners = {"left": crop.left, "right": right, "top": crop.top, "bottom": bottom}
            size = f"width={right - crop.left},height={bottom - crop.top}"
            elements += [Element("nvvidconv", corners), nvmm_caps(size)]
        encode = context.encoding.encode(_FPS)
        if context.encoding.encoder == "nvv4l2h264enc":
            queue = raw_queue(_NVMM_QUEUE_FRAMES, live=True)
        else:
            queue = raw_queue(RAW_QUEUE_FRAMES, live=True)
            caps = "video/x-raw,format=I420,colorimetry=bt709,interlace-mode=progressive"
            elements += [Element("nvvidconv"), Element("capsfilter", {"caps": caps})]
            encode = (Element("videoconvert"), *encode)
        return replace(spec, source=tuple(elements), encode=(queue, *encode))
