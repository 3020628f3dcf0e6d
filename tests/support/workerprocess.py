"""A worker as a process, and a server's end of its socket."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import touchline
from support.footage import missing, rising
from support.segments import order
from touchline.ipc import wire
from touchline.ipc.wire import Element, PipelineSpec, SimulatedPicture
from touchline.media.mp4 import scan as mp4scan

DEADLINE_S = 60.0
FPS = 25
SPEC = PipelineSpec(
    kind="test",
    source=(),
    encode=(
        Element(
            "x264enc", {"speed-preset": "ultrafast", "tune": "zerolatency", "key-int-max": FPS}
        ),
    ),
    picture=SimulatedPicture("Test", 320, 180, FPS),
)


def eventually(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not true():
        assert time.monotonic() < deadline, f"not within {DEADLINE_S:g} s: {what}"
        time.sleep(0.01)


class Client:
    """A server's end of the socket."""

    def __init__(self, directory: Path) -> None:
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
        self._socket.settimeout(DEADLINE_S)
        fd = os.open(directory, os.O_PATH)
        try:
            self._socket.connect(f"/proc/self/fd/{fd}/cam0.sock")
        finally:
            os.close(fd)
        self._lines = self._socket.makefile("rb")
        self._number = 0
        self.events: list[dict[str, Any]] = []

    def send(self, do: str, **fields: Any) -> int:
        self._number += 1
        self._socket.sendall(wire.encode({"id": self._number, "do": do, **fields}))
        return self._number

    def send_raw(self, data: bytes) -> None:
        self._socket.sendall(data)

    def message(self) -> dict[str, Any]:
        line = self._lines.readline()
        assert line, "the worker closed the connection"
        return wire.decode(line)

    def reply(self, number: int | None) -> dict[str, Any]:
        while True:
            message = self.message()
            if "event" in message:
                self.events.append(message)
            elif message["re"] == number:
                return message

    def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        return self.reply(self.send(do, **fields))

    def next_status(self) -> dict[str, Any]:
        while True:
            message = self.message()
            if message.get("event") == "status":
                return message

    def record(self, folder: Path, **changed: object) -> dict[str, Any]:
        start_ns = time.monotonic_ns()
        unix_ns = time.time_ns() - start_ns
        told = order(
            folder, start_monotonic_ns=start_ns, unix_minus_monotonic_ns=unix_ns, **changed
        )
        return self.ask("record", order=wire.order_to_json(told))

    def stop(self) -> dict[str, Any]:
        return self.ask("stop", at_ns=time.monotonic_ns())

    def close(self) -> None:
        self._lines.close()
        self._socket.close()


class Worker:
    """A worker process whose runtime directory is `directory`."""

    def __init__(self, directory: Path, *options: str, program: str | None = None) -> None:
        self.directory = directory
        self.folder = directory / "segments"
        self.folder.mkdir(exist_ok=True)
        environment = {**os.environ, "PYTHONPATH": str(Path(touchline.__file__).parents[1])}
        run = ["-c", program] if program else ["-m", "touchline.worker"]
        self._log = (directory / "worker.log").open("ab")
        self.process = subprocess.Popen(
            [sys.executable, *run, "--directory", str(directory), "--name", "cam0", *options],
            stdout=self._log,
            stderr=self._log,
            env=environment,
            start_new_session=True,
        )
        self.clients: list[Client] = []

    def connect(self) -> Client:
        deadline = time.monotonic() + DEADLINE_S
        while True:
            try:
                client = Client(self.directory)
            except (FileNotFoundError, ConnectionRefusedError):
                assert time.monotonic() < deadline, self.log()
                assert self.process.poll() is None, self.log()
                time.sleep(0.01)
            else:
                self.clients.append(client)
                return client

    def configured(self) -> Client:
        client = self.connect()
        assert client.ask("configure", spec=wire.spec_to_json(SPEC))["ok"]
        return client

    def log(self) -> str:
        return (self.directory / "worker.log").read_text()

    def exit_status(self) -> int:
        return self.process.wait(DEADLINE_S)

    def segments(self) -> list[Path]:
        return sorted(self.folder.glob("*.mp4"))

    def frames_on_disk(self) -> int:
        return sum(mp4scan.scan(p, checksums=False).frames for p in self.segments())

    def on_disk(self, client: Client) -> tuple[int, int]:
        """Return how many frames are on the disk, and how many the camera had left out by then."""
        frames = self.frames_on_disk()
        return frames, client.ask("status")["camera"]["dropped"]["source"]

    def assert_complete(self, report: dict[str, Any]) -> None:
        """The files hold the frames of the report and lack only what the camera never sent."""
        found = rising(*self.segments())
        assert len(found) == report["frames"]
        assert missing(found) <= report["camera"]["dropped"]["source"]

    def close(self) -> None:
        for client in self.clients:
            client.close()
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait(DEADLINE_S)
        self._log.close()


@contextmanager
def working(directory: Path, *options: str, program: str | None = None) -> Iterator[Worker]:
    worker = Worker(directory, *options, program=program)
    try:
        yield worker
    finally:
        worker.close()
