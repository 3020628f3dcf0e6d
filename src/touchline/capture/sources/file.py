"""Video files in the place of a camera."""

from __future__ import annotations

import os
from dataclasses import replace
from pathlib import Path
from typing import Literal

from pydantic import Field, field_validator

from touchline.capture.encoding.encoding import ASSUMED_FPS
from touchline.capture.sources.paths import absolute
from touchline.capture.sources.source import BaseSource, PipelineContext
from touchline.finding import CheckFinding
from touchline.ipc.wire import Element, PipelineSpec


class FileSource(BaseSource):
    """Video file played in real time. H.264 is recorded without transcoding."""

    kind: Literal["file"]
    path: Path = Field(description="Absolute path of the video file.")
    loop: bool = Field(True, description="Restart from the beginning when the file ends.")

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return absolute(path)

    def pipeline(self, spec: PipelineSpec, context: PipelineContext) -> PipelineSpec:
        """Complete the specification. A file can wait for a slow encoder, so nothing is dropped."""
        crop = self.crop.even()
        return replace(
            spec,
            source=(Element("filesrc", {"location": str(self.path)}),),
            encode=context.encoding.chain(ASSUMED_FPS, crop, live=False),
            demux=True,
            force_encode=bool(crop),
            loop=self.loop,
            paced=True,
        )

    def finding(self, camera_id: int, *, required: bool) -> CheckFinding:  # noqa: ARG002
        """Check that the file can be read."""
        what = f"camera {camera_id}"
        if self.path.is_file() and os.access(self.path, os.R_OK):
            return CheckFinding(what, "ok", str(self.path))
        return CheckFinding(
            what, "missing", f"{self.path} is not a file that can be read", f"ls -l {self.path}"
        )
