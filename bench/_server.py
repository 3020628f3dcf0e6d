"""A real touchline server that records, on a data directory of its own, and a client for it."""

from __future__ import annotations

import copy
import http.client
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import _processes
from _processes import wait_for
from _report import is_quick

import touchline

Cameras = Mapping[int, Mapping[str, Any]]

KEPT_S = 2.0
"""How long a connection may be idle; uvicorn closes it after five seconds."""

SOURCES = Path(touchline.__file__).parents[1]

TEST_CAMERAS: Cameras = {
    0: {"kind": "test", "name": "LEFT"},
    1: {"kind": "test", "name": "RIGHT"},
}
"""What `touchline demo` records: 1280x720 at 30 frames a second, encoded with x264."""


class Refused(RuntimeError):
    """The server answered that it did not do what a bench needs done."""


class Server:
    """A server that can be started, killed and started again on the same data."""

    def __init__(
        self, work: Path, cameras: Cameras, *, data: Path | None = None, **capture: Any
    ) -> None:
        """`work` takes configuration and log; `capture` are settings of that name."""
        self.data = data or work / "data"
        self.recordings = Path(capture.get("recordings_dir", self.data / "recordings"))
        self._config = work / "touchline.toml"
        self._log = work / "server.log"
        self._config.write_text(_toml(self.data, cameras, {"protection_s": 0, **capture}))
        self._process: subprocess.Popen[bytes] | None = None
        self._connection: http.client.HTTPConnection | None = None
        self._asked_at_s = 0.0
        self._address = ""

    # ------------------------------------------------------------ the process

    def start(self) -> float:
        """Start it; returns once it answers, with the seconds that took."""
        environment = {k: v for k, v in os.environ.items() if not k.startswith("TOUCHLINE_")}
        environment["PYTHONPATH"] = str(SOURCES)
        began_s = time.monotonic()
        with self._log.open("ab") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "touchline", "serve", "--config", str(self._config)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env=environment,
            )
        line = _processes.first_line(self._process)
        if not line.startswith("ready "):
            raise Refused(f"the server did not get ready; see {self._log}\n{self.log_tail()}")
        self._address = urlsplit(line.removeprefix("ready ")).netloc
        self._hang_up()
        return time.monotonic() - began_s

    def stop(self) -> None:
        """An orderly end, which finishes a recording."""
        self._hang_up()  # or the server waits for this connection
        if self._process is not None:
            _processes.end(self._process)
        self._kill_workers()

    def kill(self) -> None:
        """`kill -9` of the server alone."""
        if self._process is not None:
            self._process.kill()
            self._process.wait()
            if self._process.stdout is not None:
                self._process.stdout.close()

    def close(self) -> None:
        """Leave no process behind, in whatever state it is."""
        self._hang_up()
        self.kill()
        self._kill_workers()

    def _kill_workers(self) -> None:
        for pid in [*self.workers(), *self.helpers()]:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    @property
    def pid(self) -> int:
        """The server's own process."""
        if self._process is None:
            raise ValueError("the server was never started")
        return self._process.pid

    @property
    def url(self) -> str:
        """Where it answers, as `http://127.0.0.1:40123`."""
        return f"http://{self._address}"

    def workers(self) -> list[int]:
        """Its camera workers, those of an earlier server included."""
        return _processes.workers_of(self.data / "run")

    def helpers(self) -> list[int]:
        """What else it has started: the live process, where somebody views."""
        return _processes.helpers_of(self.data / "run")

    def everything(self) -> list[int]:
        """All that must be counted: the server, its workers, its helpers."""
        return [self.pid, *self.workers(), *self.helpers()]

    def log_tail(self) -> str:
        """The last lines of its log, for an error message."""
        return "\n".join(self._log.read_text(errors="replace").splitlines()[-15:])

    # ------------------------------------------------------------- the client

    def request(self, method: str, path: str, body: Mapping[str, Any] | None = None) -> Any:
        """The JSON of an answer of status 200, over a connection that is kept while it is used."""
        if time.monotonic() - self._asked_at_s > KEPT_S:
            self._hang_up()
        if self._connection is None:
            self._connection = http.client.HTTPConnection(self._address, timeout=60)
        self._asked_at_s = time.monotonic()
        data = None if body is None else json.dumps(body)
        headers = {} if data is None else {"Content-Type": "application/json"}
        try:
            self._connection.request(method, f"/api/v1{path}", data, headers)
            answer = self._connection.getresponse()
            text = answer.read()
        except (OSError, http.client.HTTPException):
            self._hang_up()
            raise
        if answer.status != 200:
            raise Refused(f"{method} {path}: {answer.status} {text.decode(errors='replace')}")
        return json.loads(text)

    def second_connection(self) -> Server:
        """The same server over a connection of its own, for another thread."""
        other = copy.copy(self)
        other._connection = None  # noqa: SLF001  (a copy of ourselves)
        return other

    def _hang_up(self) -> None:
        if self._connection is not None:
            self._connection.close()
            self._connection = None

    def status(self) -> dict[str, Any]:
        """The recording's status."""
        found: dict[str, Any] = self.request("GET", "/recording")
        return found

    def cameras(self) -> list[dict[str, Any]]:
        """Each camera with its worker."""
        answer = self.request("GET", "/cameras")
        found: list[dict[str, Any]] = answer["cameras"] if isinstance(answer, dict) else answer
        return found

    def left_out_by_camera(self) -> list[int]:
        """For each camera, the frames that never came from it, by its own timestamps."""
        time.sleep(1)  # workers tell their status twice a second
        return [int(camera["dropped"]["source"]) for camera in self.cameras()]

    def wait_until_ready(self) -> None:
        """Return once every camera has its worker and, where it is copied, delivers."""

        def ready() -> bool:
            return all(
                camera["worker"]["connected"]
                and (camera["kind"] != "rtsp" or camera["state"] == "running")
                for camera in self.cameras()
            )

        wait_for("camera that is ready", ready, every_s=0.02)

    def record(self, match_id: str) -> dict[str, Any]:
        """Start a recording; raises Refused when it does not start."""
        answer: dict[str, Any] = self.request("POST", "/recording", {"match_id": match_id})
        if not answer["success"]:
            raise Refused(f"{answer}\n{self.log_tail()}")
        return answer

    def end_recording(self, *, strict: bool = True) -> dict[str, Any]:
        """Stop the recording; if `strict`, raises Refused when it is not all as it should be.

        A quick run does not mind: it may share the processor with a whole test suite.
        """
        answer: dict[str, Any] = self.request("DELETE", "/recording?force=true")
        if strict and not answer["success"] and not is_quick():
            raise Refused(f"{json.dumps(answer)}\n{self.log_tail()}")
        return answer

    # ------------------------------------------------------------ its footage

    def manifest(self, match_id: str) -> dict[str, Any]:
        """What the match's folder says of it."""
        found: dict[str, Any] = json.loads((self.recordings / match_id / "match.json").read_bytes())
        return found

    def segments(self, match_id: str, camera: int) -> list[Path]:
        """The camera's files, in the order they were recorded in."""
        folder = self.recordings / match_id / "segments"
        return sorted(folder.glob(f"cam{camera}_*.mp4"), key=_index)


def _index(path: Path) -> int:
    return int(path.stem.rpartition("_")[2])


@contextmanager
def server(
    work: Path, cameras: Cameras, *, data: Path | None = None, **capture: Any
) -> Iterator[Server]:
    """A server that answers and whose cameras are ready; gone at the end of the block."""
    work.mkdir(parents=True, exist_ok=True)
    made = Server(work, cameras, data=data, **capture)
    try:
        made.start()
        made.wait_until_ready()
        yield made
    finally:
        made.close()


def _toml(data: Path, cameras: Cameras, capture: Mapping[str, Any]) -> str:
    lines = ["port = 0", f"data_dir = {json.dumps(str(data))}"]
    lines += _table("capture", {**capture, "cameras": cameras})
    return "\n".join(lines) + "\n"


def _table(name: str, values: Mapping[Any, Any]) -> list[str]:
    """A table in TOML; what is a mapping in it becomes a table below it."""
    plain = {key: value for key, value in values.items() if not isinstance(value, Mapping)}
    lines = [f"[{name}]", *(f"{key} = {json.dumps(value)}" for key, value in plain.items())]
    for key, value in values.items():
        if isinstance(value, Mapping):
            lines += _table(f"{name}.{key}", value)
    return lines
