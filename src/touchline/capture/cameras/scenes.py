"""Pictures of empty pitches for simulated cameras, drawn once by a separate program."""

from __future__ import annotations

import logging
import subprocess
import sys
from collections.abc import Iterable
from pathlib import Path

import anyio

from touchline.capture.cameras.pipelines import scene_file
from touchline.capture.settings.cameras import Source, TestSource
from touchline.core import patience

log = logging.getLogger(__name__)

_WITHIN_S = 60.0


async def draw_scenes(sources: Iterable[Source], folder: Path) -> None:
    """Draw the missing pitches, and return when each exists or has failed.

    A failure is logged. A camera without its pitch shows the test pattern.
    """
    async with anyio.create_task_group() as tasks:
        for source in sources:
            if isinstance(source, TestSource) and source.scene != "pattern":
                tasks.start_soon(_draw, source, folder)


async def _draw(source: TestSource, folder: Path) -> None:
    if await anyio.Path(folder / scene_file(source)).exists():
        return
    command = [
        *(sys.executable, "-m", "touchline.sim.pitch", "--out", str(folder)),
        *("--width", str(source.width), "--height", str(source.height)),
        *("--side", source.scene),
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
