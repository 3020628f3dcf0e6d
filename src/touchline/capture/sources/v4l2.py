"""Cameras on a video device of this machine."""

from __future__ import annotations

import os
import stat
from dataclasses import replace
from fractions import Fraction
from typing import Annotated, ClassVar, Literal

from pydantic import Field, StringConstraints, field_validator

from touchline.capture.encoding.picture import Height, Rate, Width, exact_rate, frame_caps
from touchline.capture.sources.source import BaseSource, PipelineContext
from touchline.finding import CheckFinding
from touchline.ipc.wire import Element, PipelineSpec


class V4l2Source(BaseSource):
    """Camera on a video device of this machine (USB, capture card)."""

    elements: ClassVar = ("v4l2src",)

    kind: Literal["v4l2"]
    device: Annotated[str, StringConstraints(pattern=r"^/dev/[A-Za-z0-9._:/+-]+$")] = Field(
        description="Video device, for example /dev/video0 or a name under /dev/v4l/by-id."
    )
    format: Literal["raw", "mjpeg", "h264"] = Field(
        "raw",
        description="Format requested from the device. H.264 is recorded without transcoding.",
    )
    width: Width = 1920
    height: Height = 1080
    fps: Rate = Fraction(30)

    _exact_fps = field_validator("fps")(exact_rate)

    def pipeline(self, spec: PipelineSpec, context: PipelineContext) -> PipelineSpec:
        """Complete the specification. H.264 is copied unless it is cropped."""
        media = {"raw": "video/x-raw", "mjpeg": "image/jpeg", "h264": "video/x-h264"}[self.format]
        caps = frame_caps(self.width, self.height, self.fps)
        device = (
            Element("v4l2src", {"device": self.device}),
            Element("capsfilter", {"caps": f"{media},{caps}"}),
        )
        crop = self.crop.within(self.width, self.height)
        chain = context.encoding.chain(self.fps, crop)
        if self.format == "mjpeg":
            return replace(spec, source=(*device, Element("jpegdec")), encode=chain)
        if self.format == "raw":
            return replace(spec, source=device, encode=chain)
        if crop:
            return replace(spec, source=device, encode=chain, demux=True, force_encode=True)
        return replace(spec, source=device, delivers_h264=True, keep_running=True)

    def finding(self, camera_id: int, *, required: bool) -> CheckFinding:  # noqa: ARG002
        """Check that the device exists and may be used."""
        what = f"camera {camera_id}"
        try:
            is_device = stat.S_ISCHR(os.stat(self.device).st_mode)  # noqa: PTH116
        except OSError:
            is_device = False
        if not is_device:
            return CheckFinding(
                what, "missing", f"the device {self.device} does not exist", "ls -l /dev/v4l/by-id"
            )
        if not os.access(self.device, os.R_OK | os.W_OK):
            mend = "sudo usermod --append --groups video $USER, then log in again"
            return CheckFinding(what, "missing", f"this user has no access to {self.device}", mend)
        return CheckFinding(what, "ok", self.device)
