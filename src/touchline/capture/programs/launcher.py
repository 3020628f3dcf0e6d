"""Launching of touchline's own programs with command, environment, log and priority."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import anyio
from anyio.abc import Process

from touchline.capture.programs.output import open_output

RECORDER_PRIORITY = -5
"""Priority of programs that record, as a `nice` value."""


@dataclass(frozen=True)
class ProgramLauncher:
    """Launcher of a program of touchline.

    `program` is its module, `name` the name of its socket in `runtime_dir`, and `title` what
    messages call it. Its output is appended to `log_path`. A program that `records` gets processor
    priority, if that is permitted.
    """

    name: str
    program: str
    title: str
    runtime_dir: Path
    log_path: Path
    options: Sequence[str] = ()
    records: bool = False

    async def launch(self, *options: str, stdin: int = subprocess.DEVNULL) -> Process:
        """Start a process in a session of its own.

        Ctrl-C therefore does not reach the recorder.
        """
        command = [sys.executable, "-m", self.program]
        command += ["--directory", str(self.runtime_dir), "--name", self.name]
        command += [*self.options, *options]
        output = await open_output(self.log_path)
        try:
            process = await anyio.open_process(
                command,
                stdin=stdin,
                stdout=output,
                stderr=output,
                start_new_session=True,
                env=self._environment(),
            )
        finally:
            os.close(output)
        if self.records:
            # The program does so itself, too, but on a busy machine its start takes long.
            with suppress(PermissionError, ProcessLookupError):
                os.setpriority(os.PRIO_PROCESS, process.pid, RECORDER_PRIORITY)
        return process

    def _environment(self) -> dict[str, str]:
        """Return the server's environment without variables of GStreamer, Python or touchline."""
        environment = {
            key: value
            for key, value in os.environ.items()
            if not key.startswith(("GST_", "TOUCHLINE_")) and key != "PYTHONHOME"
        }
        environment["GST_REGISTRY"] = str(self.runtime_dir / "gstreamer-registry.bin")
        for key in ("GST_DEBUG", "GST_PLUGIN_PATH"):
            if key in os.environ:
                environment[key] = os.environ[key]
        return environment
