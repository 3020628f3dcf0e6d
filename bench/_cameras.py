"""Simulated RTSP cameras, whose pictures carry a frame counter that runs with the clock."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any
from urllib.parse import urlsplit

import _processes
from _server import SOURCES

from touchline.sim.rtsp.ledger import Entry, read_ledger

FPS = 30
WIDTH, HEIGHT, BITRATE_KBPS, GOP_S = 1280, 720, 4000, 1.0
DESCRIPTION = f"simulated RTSP cameras {WIDTH}x{HEIGHT} at {FPS}/s, {BITRATE_KBPS / 1000:g} Mbit/s"


class Camera:
    """A camera at one URL, over any number of lives of its process."""

    def __init__(self, *, gop_s: float = GOP_S, **options: Any) -> None:
        """`options` are more of `touchline simulate rtsp-camera`, and stand before the usual."""
        self.url = ""
        self.counting_since_s = 0.0
        self._options = {
            "width": WIDTH,
            "height": HEIGHT,
            "bitrate": BITRATE_KBPS,
            "fps": FPS,
            "gop_s": gop_s,
            **options,
        }
        self._port = 0
        self._process: subprocess.Popen[bytes] | None = None

    def start(self, *, first: bool = False) -> None:
        """Return once it listens; from the second time on at the same port.

        With `first` it has the processor before everybody else, as if it had one of its own.
        """
        self._process = subprocess.Popen(
            [
                *(("nice", "-n", "-10") if first else ()),
                *(sys.executable, "-m", "touchline", "simulate", "rtsp-camera"),
                f"--port={self._port}",
                *_arguments(self._options),
            ],
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "PYTHONPATH": str(SOURCES)},
        )
        line = _processes.first_line(self._process)
        self.counting_since_s = time.monotonic()  # it counts from just before it says so
        if not line.startswith("ready "):
            raise RuntimeError(f"the simulated camera did not get ready: {line!r}")
        self.url = line.removeprefix("ready ")
        self._port = urlsplit(self.url).port or 0

    def settings(self) -> dict[str, Any]:
        """The camera as the server's configuration names it."""
        return {"kind": "rtsp", "url": self.url}

    def captured(self, at_s: float) -> int:
        """How many frames it has captured at this CLOCK_MONOTONIC time."""
        return int((at_s - self.counting_since_s) * FPS) + 1

    def kill(self) -> None:
        """`kill -9`: connections break, nobody listens."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()

    def freeze(self) -> None:
        """Send nothing while every connection stays open."""
        self._signal(signal.SIGSTOP)

    def thaw(self) -> None:
        """Go on with the present moment."""
        self._signal(signal.SIGCONT)

    def _signal(self, number: int) -> None:
        if self._process is not None:
            self._process.send_signal(number)


@contextmanager
def cameras(number: int, *, gop_s: float = GOP_S) -> Iterator[list[Camera]]:
    """That many running cameras, gone at the end whatever happened to them."""
    with ExitStack() as stack:
        made = []
        for _ in range(number):
            camera = Camera(gop_s=gop_s)
            stack.callback(camera.kill)
            camera.start()
            made.append(camera)
        yield made


class OddCamera(Camera):
    """A small camera that misbehaves, with its ledger."""

    def __init__(self, options: Mapping[str, Any], ledger: Path) -> None:
        small = {"width": 320, "height": 180, "bitrate": 500}
        super().__init__(**{**small, **options, "ledger": str(ledger)})
        self._ledger = ledger

    def misbehave(self) -> None:
        """Begin what `on_signal` has put off."""
        self._signal(signal.SIGUSR1)

    def entries(self) -> list[Entry]:
        """What it noted so far."""
        return read_ledger(self._ledger) if self._ledger.exists() else []


@contextmanager
def odd_camera(options: Mapping[str, Any]) -> Iterator[OddCamera]:
    """A running camera that misbehaves, gone at the end."""
    with TemporaryDirectory(prefix="touchline-bench-") as folder:
        camera = OddCamera(options, Path(folder, "ledger.jsonl"))
        try:
            camera.start()
            yield camera
        finally:
            camera.kill()


def _arguments(options: Mapping[str, Any]) -> list[str]:
    found = []
    for name, value in options.items():
        flag = f"--{name.replace('_', '-')}"
        for one in value if isinstance(value, list) else [value]:
            found += [] if one is False else [flag if one is True else f"{flag}={one}"]
    return found
