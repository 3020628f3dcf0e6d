"""Cameras that libcamera controls."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import ClassVar, Literal

from pydantic import Field, field_validator

from touchline.capture.encoding.picture import Height, Rate, Width, exact_rate, frame_caps
from touchline.capture.sources.source import BaseSource, PipelineContext, PrintableName
from touchline.ipc.wire import Element, PipelineSpec, Value


class LibcameraSource(BaseSource):
    """Camera that is controlled by libcamera (Raspberry Pi and others)."""

    elements: ClassVar = ("libcamerasrc",)

    kind: Literal["libcamera"]
    camera: PrintableName | None = Field(
        None, description="Name of the camera in libcamera. Default: the first camera."
    )
    width: Width = 1920
    height: Height = 1080
    fps: Rate = Fraction(30)

    _exact_fps = field_validator("fps")(exact_rate)

    def pipeline(self, spec: PipelineSpec, context: PipelineContext) -> PipelineSpec:
        """Complete the specification: frames in NV12, encoded by this machine."""
        named: dict[str, Value] = {"camera-name": self.camera} if self.camera else {}
        caps = f"video/x-raw,format=NV12,{frame_caps(self.width, self.height, self.fps)}"
        crop = self.crop.within(self.width, self.height)
        return replace(
            spec,
            source=(Element("libcamerasrc", named), Element("capsfilter", {"caps": caps})),
            encode=context.encoding.chain(self.fps, crop),
        )
