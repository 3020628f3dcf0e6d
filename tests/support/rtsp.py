"""A simulated RTSP camera for a test: in a process that can be killed, or in a thread.

Options are those of `touchline simulate rtsp-camera`: `hold_after=3` is `--hold-after=3`, a list is
an option given several times.
"""

from __future__ import annotations

import argparse
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from tempfile import TemporaryDirectory, TemporaryFile
from typing import IO, Any
from urllib.parse import urlsplit

import touchline
from touchline.sim import camera as simulated
from touchline.sim.rtsp.ledger import Entry, read_ledger
from touchline.sim.rtsp.server import CameraServer

START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 60.0


class RtspCamera:
    """One camera at one URL, over any number of lives of its process."""

    def __init__(self, **options: Any) -> None:
        self._options = {"port": 0, "width": 640, "height": 360, "bitrate": 1000, **options}
        self._folder = TemporaryDirectory(prefix="camera-")
        self._ledger = Path(self._folder.name, "ledger.jsonl")
        self._options.setdefault("ledger", str(self._ledger))
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
            [sys.executable, "-m", "touchline.sim.camera", *arguments_of(self._options)],
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

    def misbehave(self) -> None:
        """Begin misbehaviour that has a time, where the option `on_signal` is given."""
        os.kill(self.pid, signal.SIGUSR1)

    def ledger(self, event: str | None = None) -> list[Entry]:
        """What it noted so far, in all its lives."""
        entries = read_ledger(self._ledger) if self._ledger.exists() else []
        return [entry for entry in entries if event in {None, entry["event"]}]

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
        self._folder.cleanup()

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
def rtsp_camera(**options: Any) -> Iterator[RtspCamera]:
    """A running camera, gone at the end whatever happened to it."""
    camera = RtspCamera(**options)
    try:
        camera.start()
        yield camera
    finally:
        camera.close()


def arguments_of(options: dict[str, Any]) -> list[str]:
    """The command line that gives these options."""
    arguments = []
    for name, value in options.items():
        option = f"--{name.replace('_', '-')}"
        for one in value if isinstance(value, list) else [value]:
            if one is True:
                arguments.append(option)
            elif one is not False:
                arguments.append(f"{option}={one}")
    return arguments


@contextmanager
def camera_in_thread(**options: Any) -> Iterator[CameraServer]:
    """A running camera in this process, 320x180 by default; `url`, `ledger` and `begin` are its."""
    given = {"port": 0, "width": 320, "height": 180, "bitrate": 500, **options}
    parser = argparse.ArgumentParser()
    simulated.add_arguments(parser)
    wanted = simulated.options_from(parser.parse_args(arguments_of(given)))
    assert wanted.faults() == []
    with simulated.build(wanted) as camera:
        yield camera
