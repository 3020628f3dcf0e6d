"""The real server as a process of its own, with real workers: what a user runs."""

from __future__ import annotations

import json
import os
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

import touchline
from support.registry import place_registry

START_DEADLINE_S = 60.0
STOP_DEADLINE_S = 60.0

SMALL = {"kind": "test", "width": 320, "height": 180, "fps": 30}
"""A simulated camera that costs next to nothing; its counter is still read back."""


class Server:
    """One server on one data directory, over any number of lives."""

    def __init__(
        self,
        data: Path,
        cameras: Mapping[int, Mapping[str, Any]],
        *,
        auth: Mapping[str, str] | None = None,
        **capture: Any,
    ) -> None:
        """`auth` are settings below `auth`; with a key the client of this server sends it."""
        self.data = data
        self._key = (auth or {}).get("api_key")
        self.recordings = Path(capture.get("recordings_dir") or data / "recordings")
        self._environment = {
            **{k: v for k, v in os.environ.items() if not k.startswith("TOUCHLINE_")},
            "PYTHONPATH": str(Path(touchline.__file__).parents[1]),
            "TOUCHLINE_CAPTURE__CAMERAS": json.dumps({str(k): dict(v) for k, v in cameras.items()}),
        }
        for key, value in capture.items():
            self._environment[f"TOUCHLINE_CAPTURE__{key.upper()}"] = (
                value if isinstance(value, str) else json.dumps(value, default=str)
            )
        for key, value in (auth or {}).items():
            self._environment[f"TOUCHLINE_AUTH__{key.upper()}"] = value
        self._runtime = Path(capture.get("runtime_dir") or data / "run")
        self.program = [sys.executable, "-m", "touchline"]
        """What is started; another one may set the scene before it runs the server."""
        self.port = 0
        """Where to listen in its next life; 0 is any free port."""
        self._process: subprocess.Popen[bytes] | None = None
        self.client = httpx.Client()

    # ------------------------------------------------------------------ its life

    def start(self) -> None:
        """Return once it answers."""
        assert self._process is None, "the server is running already"
        place_registry(self._runtime)
        with (self.data / "server.out").open("ab") as errors:
            self._process = subprocess.Popen(
                [
                    *self.program,
                    "serve",
                    *("--data", str(self.data), "--port", str(self.port)),
                ],
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=errors,
                start_new_session=True,
            )
        assert self._process.stdout is not None
        deadline = time.monotonic() + START_DEADLINE_S
        line = b""
        while not line.startswith(b"ready "):
            ready, _, _ = select.select([self._process.stdout], [], [], 0.1)
            line = self._process.stdout.readline() if ready else b""
            if time.monotonic() > deadline or self._process.poll() is not None:
                raise AssertionError(f"the server did not start:\n{self.output()}")
        headers = {} if self._key is None else {"x-api-key": self._key}
        base_url = f"{line.split()[1].decode()}/api/v1"
        self.client = httpx.Client(base_url=base_url, headers=headers, timeout=60)

    @property
    def pid(self) -> int:
        """The server's own process."""
        assert self._process is not None
        return self._process.pid

    def live_pid(self) -> int | None:
        """The live process of this data directory, where there is one."""
        for entry in Path("/proc").glob("[0-9]*/cmdline"):
            try:
                words = entry.read_bytes().decode(errors="replace").split("\0")
            except (FileNotFoundError, ProcessLookupError):
                continue
            if "touchline.live" in words and str(self.data / "run") in words:
                return int(entry.parent.name)
        return None

    def kill(self) -> None:
        """`kill -9`."""
        assert self._process is not None
        self._process.kill()
        self._end()

    def terminate(self, number: int = signal.SIGTERM) -> int:
        """An orderly stop; the exit status."""
        assert self._process is not None
        self._process.send_signal(number)
        return self._end()

    def _end(self) -> int:
        assert self._process is not None
        status = self._process.wait(STOP_DEADLINE_S)
        assert self._process.stdout is not None
        self._process.stdout.close()
        self._process = None
        self.client.close()
        return status

    def close(self) -> None:
        """Leave nothing running: neither the server nor a worker of its data directory."""
        workers = self.worker_pids()
        if self._process is not None:
            self.terminate()
        for pid in workers.values():
            if is_running(pid):
                os.kill(pid, signal.SIGKILL)

    def output(self) -> str:
        """What the server and its workers said."""
        logs = [self.data / "server.out", *sorted((self.data / "logs").glob("*.log"))]
        return "\n".join(f"== {p.name}\n{p.read_text()[-3000:]}" for p in logs if p.exists())

    # ------------------------------------------------------------------ its API

    def get(self, path: str, **params: Any) -> Any:
        answer = self.client.get(path, params=params)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def record(self, match_id: str, **body: Any) -> dict[str, Any]:
        answer = self.client.post("/recording", json={"match_id": match_id, **body})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def started(self, match_id: str, **body: Any) -> dict[str, Any]:
        """Record, and insist that it worked."""
        report = self.record(match_id, **body)
        assert report["success"], f"{report}\n{self.output()}"
        return report

    def stop(self) -> dict[str, Any]:
        answer = self.client.delete("/recording", params={"force": True})
        assert answer.status_code == 200, answer.text
        return dict(answer.json())

    def status(self) -> dict[str, Any]:
        return dict(self.get("/status")["recording"])

    def worker_pids(self) -> dict[int, int]:
        """Process ids of the cameras' workers by camera number."""
        if self._process is None or self._process.poll() is not None:
            return {}
        cameras = self.get("/cameras")
        cameras = cameras["cameras"] if isinstance(cameras, dict) else cameras
        return {c["id"]: c["worker"]["pid"] for c in cameras if c["worker"]["connected"]}

    def segments(self, match_id: str, camera: int) -> list[Path]:
        """A camera's files in order."""
        folder = self.recordings / match_id / "segments"
        return sorted(
            folder.glob(f"cam{camera}_*.mp4"), key=lambda p: int(p.stem.rsplit("_", 1)[1])
        )

    def manifest(self, match_id: str) -> dict[str, Any]:
        return dict(json.loads((self.recordings / match_id / "match.json").read_text()))

    def alerts(self) -> list[str]:
        """The types of the alerts so far."""
        path = self.data / "logs" / "alerts.log"
        lines = path.read_text().splitlines() if path.exists() else []
        return [json.loads(line)["event_type"] for line in lines]


@contextmanager
def serving(
    data: Path, cameras: Mapping[int, Mapping[str, Any]] | None = None, **capture: Any
) -> Iterator[Server]:
    """A running server; nothing of it is left afterwards."""
    server = Server(data, cameras or {0: SMALL, 1: SMALL}, **capture)
    server.start()
    try:
        yield server
    finally:
        server.close()


def wait_for(condition: Callable[[], Any], what: str, deadline_s: float = 60.0) -> Any:
    """The first true value of `condition`."""
    deadline = time.monotonic() + deadline_s
    while True:
        value = condition()
        if value:
            return value
        assert time.monotonic() < deadline, f"still not {what} after {deadline_s:g} s"
        time.sleep(0.05)


def is_running(pid: int) -> bool:
    """Whether the process lives; a zombie does not."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except (FileNotFoundError, ProcessLookupError):
        return False
    return state != "Z"
