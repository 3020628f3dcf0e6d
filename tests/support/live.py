"""The live process and camera workers without a server, driven over their sockets."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any

import touchline
from support.registry import place_registry
from touchline.capture import CaptureSettings, build_pipeline
from touchline.ipc import wire

START_DEADLINE_S = 60.0
ANSWER_DEADLINE_S = 60.0


class Line:
    """A connection to a worker or to the live process: one request at a time, events kept."""

    def __init__(self, path: Path) -> None:
        self.events: list[dict[str, Any]] = []
        self._number = 0
        self._socket = wire.connect(path)
        self._socket.settimeout(ANSWER_DEADLINE_S)
        self._lines = self._socket.makefile("rb")

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        """The answer, whether it is yes or no."""
        self._number += 1
        self._socket.sendall(wire.encode({"id": self._number, "do": do, **fields}))
        while True:
            message = wire.decode(self._lines.readline())
            if message.get("re") == self._number:
                return message
            self.events.append(message)

    def done(self, do: str, **fields: Any) -> dict[str, Any]:
        """The answer, which must be yes."""
        answer = self.ask(do, **fields)
        assert answer["ok"], f"{do}: {answer}"
        return answer

    def event(self, name: str, **values: Any) -> dict[str, Any]:
        """The first event of that name and those values that comes from now on."""
        deadline = time.monotonic() + ANSWER_DEADLINE_S
        while time.monotonic() < deadline:
            message = wire.decode(self._lines.readline())
            self.events.append(message)
            if message.get("event") == name and values.items() <= message.items():
                return message
        raise AssertionError(f"no event {name} with {values}")

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


class LiveRig:
    """A live process and the workers that feed it."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.workers: dict[str, Line] = {}
        self._stack = ExitStack()

    def open(self) -> None:
        """Start the live process; return once it answers."""
        self.live_pid = self._start("touchline.live", "live")
        self.live = self._line("live")

    def camera(self, number: int, source: Mapping[str, Any]) -> Line:
        """Start a camera's worker and have it feed the live process."""
        name = f"cam{number}"
        self._start("touchline.worker", name, "--name", name)
        worker = self.workers[name] = self._line(name)
        settings = CaptureSettings.model_validate({"cameras": {number: dict(source)}})
        elements = worker.done("hello")["elements"]
        spec = build_pipeline(number, settings.cameras[number], settings, elements)
        worker.done("configure", spec=wire.spec_to_json(spec))
        worker.done("feed", path=str(self.directory / "live-feed.sock"))
        assert self.live.done("wait_up", camera=name, wait_s=15)["up"], self.output()
        return worker

    def output(self) -> str:
        """What the processes said."""
        logs = sorted(self.directory.glob("*.out"))
        return "\n".join(f"== {path.name}\n{path.read_text()[-3000:]}" for path in logs)

    def close(self) -> None:
        """Leave nothing running."""
        self._stack.close()

    def _start(self, module: str, name: str, *arguments: str) -> int:
        environment = {
            **os.environ,
            "PYTHONPATH": str(Path(touchline.__file__).parents[1]),
            "GST_REGISTRY": str(place_registry(self.directory)),
        }
        command = [sys.executable, "-m", module, "--directory", str(self.directory), *arguments]
        with (self.directory / f"{name}.out").open("ab") as output:
            process = subprocess.Popen(
                command, env=environment, stdout=output, stderr=output, start_new_session=True
            )
        self._stack.callback(_end, process)
        return process.pid

    def _line(self, name: str) -> Line:
        deadline = time.monotonic() + START_DEADLINE_S
        while True:
            try:
                line = Line(self.directory / f"{name}.sock")
            except (FileNotFoundError, ConnectionRefusedError):
                assert time.monotonic() < deadline, f"{name} did not start:\n{self.output()}"
                time.sleep(0.02)
            else:
                self._stack.callback(line.close)
                return line


def _end(process: subprocess.Popen[bytes]) -> None:
    process.terminate()
    try:
        process.wait(10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


@contextmanager
def live_rig(directory: Path) -> Iterator[LiveRig]:
    """A running live process; nothing of it is left afterwards."""
    rig = LiveRig(directory)
    try:
        rig.open()
        yield rig
    finally:
        rig.close()
