"""Camera kind: colour bars of GStreamer. Goes to capture/sources/."""

from __future__ import annotations

from dataclasses import replace
from fractions import Fraction
from typing import ClassVar, Literal

from touchline.capture.sources.source import BaseSource, PipelineContext
from touchline.ipc.wire import Element, PipelineSpec


class BarsSource(BaseSource):
    """Camera that shows colour bars."""

    elements: ClassVar = ("videotestsrc",)

    kind: Literal["bars"]

    def pipeline(self, spec: PipelineSpec, context: PipelineContext) -> PipelineSpec:
        """Complete the specification."""
        bars = Element("videotestsrc", {"pattern": "smpte", "is-live": True})
        chain = context.encoding.chain(Fraction(25), self.crop.within(320, 240))
        return replace(spec, source=(bars,), encode=chain)
