"""Studio runs, each in its own process: start, progress, pause, stop.

The process ends with this server, even after a crash; the next run continues from its files.
"""

from __future__ import annotations

import contextlib
import json
import logging
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import anyio
from anyio.abc import Process
from anyio.streams.text import TextReceiveStream

from touchline.capture.programs.output import open_output
from touchline.core import patience
from touchline.core.errors import Failed

log = logging.getLogger(__name__)

STOP_GRACE_S = 5.0
_LEFT_OUT = ("PYTHONHOME", "GST_", "TOUCHLINE_")

OnProgress = Callable[[Mapping[str, Any]], None]


class StudioRun:
    """Single run of the studio. `run` may be called once."""

    def __init__(self, verb: str, spec: Mapping[str, Any], *, log_path: Path) -> None:
        self._verb = verb
        self._spec = spec
        self._log_path = log_path
        self._process: Process | None = None
        self._paused = False

    async def run(self, on_progress: OnProgress, *, hurry: bool = False) -> dict[str, Any]:
        """Run the studio and return its result.

        Raises Failed with the studio's message; cancelling it ends the process. `hurry` is for
        requests that a client waits for: all other runs have the lowest priority. Recording takes
        precedence in any case.
        """
        command = [
            *(sys.executable, "-m", "touchline.studio", self._verb, "--parent", str(os.getpid())),
            *(["--hurry"] if hurry else []),
        ]
        output = await open_output(self._log_path)
        try:
            process = self._process = await anyio.open_process(
                command,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=output,
                env=_environment(),
                start_new_session=True,
            )
        finally:
            os.close(output)
        try:
            self._apply_pause()
            return await self._follow(process, on_progress)
        finally:
            with anyio.CancelScope(shield=True):
                await self._end(process)

    def pause(self, *, paused: bool) -> None:
        """Pause or resume the run. It keeps its memory and its files."""
        if paused != self._paused:
            self._paused = paused
            self._apply_pause()

    def _apply_pause(self) -> None:
        if self._process is not None and self._process.returncode is None:
            self._process.send_signal(signal.SIGSTOP if self._paused else signal.SIGCONT)

    async def _follow(self, process: Process, on_progress: OnProgress) -> dict[str, Any]:
        stdin, stdout = process.stdin, process.stdout
        if stdin is None or stdout is None:
            raise RuntimeError("a process without its pipes")
        with contextlib.suppress(anyio.BrokenResourceError):  # the reason is in its log
            await stdin.send(json.dumps(self._spec).encode())
            await stdin.aclose()
        last: dict[str, Any] = {}
        waiting = ""
        async for text in TextReceiveStream(stdout):
            *lines, waiting = (waiting + text).split("\n")
            for line in lines:
                last = json.loads(line)
                if last.get("event") == "progress":
                    on_progress(last)
        status = await process.wait()
        if last.get("event") == "result":
            result: dict[str, Any] = last["result"]
            return result
        if last.get("event") == "failed":
            raise Failed(
                str(last["message"]), code=str(last["code"]), advice=str(last.get("advice") or "")
            )
        raise Failed(
            f"The studio process exited before it was done (status {status}); see"
            f" {self._log_path.name}",
            code="studio_lost",
        )

    async def _end(self, process: Process) -> None:
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.terminate()
                process.send_signal(signal.SIGCONT)  # a stopped process handles no other signal
            with patience.move_on_after(STOP_GRACE_S):
                await process.wait()
        if process.returncode is None:
            process.kill()
            await process.wait()
        await process.aclose()


def _environment() -> dict[str, str]:
    return {key: value for key, value in os.environ.items() if not key.startswith(_LEFT_OUT)}
