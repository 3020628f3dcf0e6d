"""A simulated RTSP camera for a test: started, killed, frozen, thawed and brought back."""

from __future__ import annotations

import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryFile
from typing import IO
from urllib.parse import urlsplit

import touchline

START_DEADLINE_S = 20.0
STOP_DEADLINE_S = 10.0


class RtspCamera:
    """One camera at one URL, over any number of lives of its process."""

    def __init__(self, **options: str | float | bool) -> None:
        """`options` are those of `simulate rtsp-camera`: `stall_after=3` is `--stall-after 3`."""
        self._options = {"port": 0, "width": 640, "height": 360, "bitrate": 1000, **options}
        self._errors: IO[bytes] = TemporaryFile()  # noqa: SIM115  (closed by `close`)
        self._process: subprocess.Popen[bytes] | None = None
        self.url = ""

    @property
    def running(self) -> bool:
        return self._process is not None and self._process.poll() is None

    @property
    def pid(self) -> int:
        assert self._process is not None, "the camera was never started"
        return self._process.pid

    def start(self) -> None:
        """Return once it listens; from the second time on at the same URL."""
        assert not self.running, "the camera is running already"
        environment = dict(os.environ)
        sources = str(Path(touchline.__file__).parents[1])
        environment["PYTHONPATH"] = os.pathsep.join(
            part for part in (sources, environment.get("PYTHONPATH")) if part
        )
        self._process = subprocess.Popen(
            [sys.executable, "-m", "touchline.sim.camera", *self._arguments()],
            stdout=subprocess.PIPE,
            stderr=self._errors,
            env=environment,
        )
        self.url = self._ready_line().removeprefix("ready ").strip()
        self._options["port"] = urlsplit(self.url).port or 0

    def kill(self) -> None:
        """`kill -9`: the connections break, the port answers no more."""
        assert self._process is not None, "the camera was never started"
        self._process.kill()
        self._end()

    def terminate(self, number: int = signal.SIGTERM) -> int:
        """An orderly end by a signal; the exit status."""
        assert self._process is not None, "the camera was never started"
        self._process.send_signal(number)
        return self._end()

    def freeze(self) -> None:
        """Send nothing, not even keep-alives, while every connection stays open."""
        os.kill(self.pid, signal.SIGSTOP)

    def thaw(self) -> None:
        os.kill(self.pid, signal.SIGCONT)

    def restart(self) -> None:
        """Kill it and bring it back at the same URL; its counter begins at 0 again."""
        self.kill()
        self.start()

    def errors(self) -> str:
        """What it wrote to standard error so far."""
        return os.pread(self._errors.fileno(), 1 << 20, 0).decode(errors="replace")

    def close(self) -> None:
        """Leave nothing behind, in whatever state it is."""
        if self.running:
            self.kill()
        self._errors.close()

    def _arguments(self) -> list[str]:
        arguments = []
        for name, value in self._options.items():
            option = f"--{name.replace('_', '-')}"
            if value is True:
                arguments.append(option)
            elif value is not False:
                arguments.append(f"{option}={value}")
        return arguments

    def _ready_line(self) -> str:
        assert self._process is not None
        assert self._process.stdout is not None
        deadline = time.monotonic() + START_DEADLINE_S
        line = b""
        while not line.endswith(b"\n"):
            left_s = deadline - time.monotonic()
            if not select.select([self._process.stdout], [], [], max(0.0, left_s))[0]:
                break
            byte = os.read(self._process.stdout.fileno(), 1)
            if not byte:
                break
            line += byte
        if not line.startswith(b"ready "):
            self.kill()
            msg = f"the camera did not get ready: {line!r} {self.errors()}"
            raise RuntimeError(msg)
        return line.decode()

    def _end(self) -> int:
        assert self._process is not None
        status = self._process.wait(STOP_DEADLINE_S)
        if self._process.stdout is not None:
            self._process.stdout.close()
        return status


@contextmanager
def rtsp_camera(**options: str | float | bool) -> Iterator[RtspCamera]:
    """A running camera, gone at the end whatever happened to it."""
    camera = RtspCamera(**options)
    try:
        camera.start()
        yield camera
    finally:
        camera.close()
