"""Camera kinds.

A new one requires a module that defines its class, and a line here.
"""

from __future__ import annotations

from typing import Annotated, get_args

from pydantic import Field

from touchline.capture.encoding.encoders import ENCODERS
from touchline.capture.sources.argus import ArgusSource
from touchline.capture.sources.file import FileSource
from touchline.capture.sources.libcamera import LibcameraSource
from touchline.capture.sources.rtsp import RtspSource
from touchline.capture.sources.simulated import TestSource
from touchline.capture.sources.source import BaseSource
from touchline.capture.sources.v4l2 import V4l2Source

Source = Annotated[
    TestSource | FileSource | RtspSource | V4l2Source | LibcameraSource | ArgusSource,
    Field(discriminator="kind"),
]
"""A camera of any kind, chosen by `kind` in the settings."""

KINDS: tuple[type[BaseSource], ...] = get_args(get_args(Source)[0])

PROBED_ELEMENTS = tuple(sorted({*ENCODERS, *(name for kind in KINDS for name in kind.elements)}))
"""GStreamer elements whose presence on the machine decides how pipelines are built."""
