"""Simulated cameras."""

from __future__ import annotations

import logging
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Literal

import anyio
from pydantic import Field, field_validator

from touchline.capture.encoding.picture import Height, Rate, Width, exact_rate
from touchline.capture.sources.source import BaseSource, PipelineContext
from touchline.core import patience
from touchline.ipc.wire import PipelineSpec, SimulatedPicture

log = logging.getLogger(__name__)

_WITHIN_S = 60.0


class TestSource(BaseSource):
    """Simulated camera: a pitch, a running clock and a frame counter that can be read back."""

    __test__ = False  # pytest collects classes whose names begin with Test

    kind: Literal["test"]
    width: Width = 1280
    height: Height = 720
    fps: Rate = Fraction(30)
    scene: Literal["pattern", "left", "right"] = Field(
        "pattern",
        description="`pattern`: a pitch seen from above. `left`, `right`: the two cameras of one"
        " mast; they film the same match, overlap and can be stitched.",
    )

    _exact_fps = field_validator("fps")(exact_rate)

    @property
    def scene_file(self) -> str | None:
        """File name of the empty pitch on which the players are drawn; None for the pattern."""
        if self.scene == "pattern":
            return None
        return f"{self.scene}-{self.width}x{self.height}.i420"

    def pipeline(self, spec: PipelineSpec, context: PipelineContext) -> PipelineSpec:
        """Complete the specification: the worker draws the pictures."""
        crop = self.crop.within(self.width, self.height)
        scene = None
        if self.scene_file is not None and context.folder is not None:
            scene = str(context.folder / self.scene_file)
        picture = SimulatedPicture(
            self.label(context.camera_id),
            self.width,
            self.height,
            self.fps.numerator,
            self.fps.denominator,
            side=None if self.scene == "pattern" else self.scene,
            scene=scene,
        )
        return replace(spec, encode=context.encoding.chain(self.fps, crop), picture=picture)

    async def prepare(self, folder: Path) -> None:
        """Draw the empty pitch, by a separate program, unless it exists.

        A failure is logged. A camera without its pitch shows the test pattern.
        """
        if self.scene_file is None or await anyio.Path(folder / self.scene_file).exists():
            return
        command = [
            *(sys.executable, "-m", "touchline.sim.pitch", "--out", str(folder)),
            *("--width", str(self.width), "--height", str(self.height)),
            *("--side", self.scene),
        ]
        try:
            with patience.fail_after(_WITHIN_S):
                done = await anyio.run_process(
                    command, stdin=subprocess.DEVNULL, stderr=subprocess.PIPE, check=False
                )
        except (OSError, TimeoutError) as error:
            log.warning("The simulated pitch cannot be drawn: %s", str(error) or "it took too long")
            return
        if done.returncode != 0:
            reason = done.stderr.decode(errors="replace").strip().splitlines()[-1:]
            log.warning("The simulated pitch cannot be drawn: %s", *(reason or ["no reason given"]))
