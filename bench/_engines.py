"""A real server with engines that cost next to nothing, and what it is measured beside."""

from __future__ import annotations

import json
import os
import shutil
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

HERE = Path(__file__).parent
SOURCES = Path(touchline.__file__).parents[1]
TICKS_PER_S = os.sysconf("SC_CLK_TCK")
PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
DEADLINE_S = 120.0
ENGINE_IMAGE = "touchline/tiny:bench"
LABEL = "touchline.bench=engines"


def tiny_engine(folder: Path) -> Path:
    """The program, compiled; leaves with status 0 where there is no compiler."""
    if shutil.which("cc") is None:
        print("skipped: the tiny engine of this bench needs a C compiler (Debian: gcc libc6-dev)")
        raise SystemExit(0)
    program = folder / "tinyengine"
    command = ["cc", "-O2", "-static", "-o", str(program), str(HERE / "tinyengine.c")]
    subprocess.run(command, check=True)
    return program


def until(condition: Callable[[], Any], within_s: float = DEADLINE_S) -> Any:
    """What it gave as soon as it is true."""
    deadline_s = time.monotonic() + within_s
    while not (found := condition()):
        if time.monotonic() > deadline_s:
            raise RuntimeError("what the bench waits for did not come")
        time.sleep(0.002)
    return found


class Server:
    """`touchline serve` with engines, on a data directory of its own."""

    def __init__(self, work: Path, engines: Mapping[str, Any]) -> None:
        self._data, self._log = work / "data", work / "server.log"
        self._environment = {
            **{
                name: value
                for name, value in os.environ.items()
                # A server that may not keep its compiled modules starts half a second later.
                if not name.startswith(("TOUCHLINE_", "PYTHONDONTWRITEBYTECODE"))
            },
            "PYTHONPATH": str(SOURCES),
            **{f"TOUCHLINE_ENGINES__{k.upper()}": json.dumps(v) for k, v in engines.items()},
            "TOUCHLINE_ENGINES__LABEL": LABEL,
        }
        self.process: subprocess.Popen[bytes] | None = None
        self.http = httpx.Client()

    def start(self) -> float:
        """Return once it answers; how many seconds that took."""
        began_s = time.perf_counter()
        with self._log.open("ab") as log:
            self.process = subprocess.Popen(
                [
                    *(sys.executable, "-m", "touchline", "serve"),
                    *("--data", str(self._data), "--port", "0"),
                ],
                env=self._environment,
                stdout=subprocess.PIPE,
                stderr=log,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        line = self.process.stdout.readline()
        if not line.startswith(b"ready "):
            raise RuntimeError(f"the server did not start; its log is {self._log}")
        self.http = httpx.Client(base_url=line.split()[1].decode(), timeout=60)
        return time.perf_counter() - began_s

    @property
    def pid(self) -> int:
        assert self.process is not None
        return self.process.pid

    @property
    def url(self) -> str:
        return str(self.http.base_url).rstrip("/")

    def get(self, path: str) -> Any:
        return self.http.get(path).raise_for_status().json()

    def post(self, path: str, body: Any = None) -> Any:
        return self.http.post(path, json=body).raise_for_status().json()

    def scale(self, number: int) -> None:
        """Have so many healthy engines."""
        self.post(f"/scale/{number}")
        until(lambda: self.healthy() >= number)

    def healthy(self) -> int:
        return int(self.get("/orchestrator/status")["engines"]["healthy"])

    def cpu_s(self) -> float:
        """Processor time of the server so far."""
        fields = Path(f"/proc/{self.pid}/stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_S

    def memory_mib(self) -> float:
        """What belongs to the server alone, and its part of what it shares."""
        text = Path(f"/proc/{self.pid}/smaps_rollup").read_text()
        (line,) = [each for each in text.splitlines() if each.startswith("Pss:")]
        return int(line.split()[1]) / 1024

    def kill(self) -> None:
        assert self.process is not None
        self.process.kill()
        self.process.wait()

    def stop(self) -> None:
        """As an administrator does; engines run on."""
        assert self.process is not None
        self.process.terminate()
        self.process.wait(30)

    @property
    def database(self) -> Path:
        return self._data / "touchline.db"

    def close(self) -> None:
        """Nothing runs on: neither the server nor its processes."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(30)
        for record in self._data.glob("engines/*/record.json"):
            process = json.loads(record.read_text()).get("process") or {}
            if "pid" in process:
                try:
                    os.kill(process["pid"], signal.SIGKILL)
                except ProcessLookupError:
                    continue


@contextmanager
def serving(work: Path, **engines: Any) -> Iterator[Server]:
    """A running server with these settings of engines."""
    server = Server(work, engines)
    server.start()
    try:
        yield server
    finally:
        server.close()


def processes(program: Path, **scaling: Any) -> dict[str, Any]:
    """Settings for tiny engines as processes."""
    return {
        "runtime": {"kind": "process", "command": [str(program)]},
        "scaling": {
            "min_replicas": 0,
            "min_free_replicas": 0,
            "max_replicas": 2000,
            "max_concurrent_provisions": 32,
            **scaling,
        },
        "ports": {"host": "20000-22999", "https": "46000-49999"},
    }


@contextmanager
def docker_daemon(work: Path, program: Path) -> Iterator[Any]:
    """A daemon of this bench's own with an image of the tiny engine; its address is `.host`."""
    sys.path.insert(0, str(HERE.parent / "tests"))
    from support.docker import Daemon

    (work / "dk").mkdir()
    daemon = Daemon(work / "dk", live_restore=True)
    daemon.start()
    try:
        archive = work / "tiny.tar"
        subprocess.run(
            ["tar", "-C", str(program.parent), "-cf", str(archive), program.name], check=True
        )
        daemon.run(
            *("import", "--change", f'ENTRYPOINT ["/{program.name}"]', str(archive), ENGINE_IMAGE)
        )
        yield daemon
    finally:
        daemon.close()


def containers(daemon: Any, **scaling: Any) -> dict[str, Any]:
    """Settings for tiny engines as containers."""
    return {
        "runtime": {"kind": "docker", "host": daemon.host},
        "image": {"name": ENGINE_IMAGE},
        "scaling": {
            "min_replicas": 0,
            "min_free_replicas": 0,
            "max_replicas": 500,
            "max_concurrent_provisions": 16,
            **scaling,
        },
        "ports": {"host": "23000-24999"},
    }
