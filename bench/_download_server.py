"""A real touchline server in a process of its own, with one idle simulated camera."""

from __future__ import annotations

import http.client
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

CONFIGURATION = '[capture.cameras.0]\nkind = "test"\n'


class Server:
    """Where the server listens, and what it costs."""

    def __init__(self, url: str, pid: int) -> None:
        self.host, self.pid = urlsplit(url).netloc, pid

    def connection(self) -> http.client.HTTPConnection:
        """A new connection, kept alive until it is closed."""
        return http.client.HTTPConnection(self.host, timeout=60)

    def memory_bytes(self) -> int:
        """What the server process has in memory."""
        pages = int(Path(f"/proc/{self.pid}/statm").read_text().split()[1])
        return pages * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def serving(data: Path) -> Iterator[Server]:
    """A server on the recordings in `data`/recordings, stopped in order at the end."""
    configuration = data / "touchline.toml"
    configuration.write_text(CONFIGURATION)
    command = [sys.executable, "-m", "touchline", "serve", "--config", str(configuration)]
    command += ["--data", str(data), "--port", "0"]
    with (
        (data / "server.log").open("wb") as log,
        subprocess.Popen(command, stdout=subprocess.PIPE, stderr=log, text=True) as process,
    ):
        try:
            yield Server(_url(process), process.pid)
        finally:
            process.terminate()
            process.communicate(timeout=30)


def _url(process: subprocess.Popen[str]) -> str:
    if process.stdout is None:
        raise SystemExit("the server has no output to tell its address on")
    for line in process.stdout:
        if line.startswith("ready "):
            return line.split()[1]
    raise SystemExit("the server did not start; see its server.log")
