"""Base class of the camera kinds."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, ClassVar

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from touchline.capture.encoding.encoders import Quality
from touchline.capture.encoding.encoding import Encoding
from touchline.capture.encoding.picture import Crop
from touchline.finding import CheckFinding
from touchline.ipc.wire import PipelineSpec

PrintableName = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]


@dataclass(frozen=True)
class PipelineContext:
    """Facts that a pipeline depends on in addition to the camera's settings.

    `folder` is where `prepare` created the camera's files; None if it was not called.
    """

    camera_id: int
    encoding: Encoding
    folder: Path | None = None


class BaseSource(BaseModel, ABC):
    """Camera of any kind: the settings shared by all kinds, and what each kind must define."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    elements: ClassVar[tuple[str, ...]] = ()
    """GStreamer elements of this kind that a machine may lack."""

    name: PrintableName | None = Field(
        None, description="Display name of the camera. Default: cam0, cam1, …"
    )
    quality: Quality | None = Field(
        None, description="Encoder preset of this camera. Default: `capture.quality`."
    )
    bitrate_kbps: int | None = Field(
        None,
        ge=100,
        le=200_000,
        description="Encoder bitrate in kbit/s. Default: chosen by the preset.",
    )
    crop: Crop = Field(
        default_factory=Crop,
        description="Pixels removed per edge. Cropping a camera that delivers H.264 requires"
        " transcoding.",
    )

    def label(self, camera_id: int) -> str:
        """Return the display name."""
        return self.name or f"cam{camera_id}"

    @abstractmethod
    def pipeline(self, spec: PipelineSpec, context: PipelineContext) -> PipelineSpec:
        """Complete the specification of this camera's pipeline. Pure.

        User input is only ever the value of a property. Caps are written from numbers.
        """

    async def prepare(self, folder: Path) -> None:
        """Create the files in `folder` that the camera shows. Most kinds need none."""

    def finding(self, camera_id: int, *, required: bool) -> CheckFinding | None:  # noqa: ARG002
        """Check whether the camera can be used, for `touchline check`. Blocks for a moment.

        A camera that is `required` keeps recordings from starting. None: nothing can be checked.
        """
        return None
