"""What a viewer without a browser does: previews asked for, playlists read, streams taken."""

from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx

from support.server import Server, is_running


def root(server: Server) -> str:
    """The server's address without the API's prefix."""
    return str(server.client.base_url).split("/api/")[0]


def shown(server: Server, **body: Any) -> dict[str, Any]:
    """Start a preview, and insist that it worked."""
    answer = server.client.post("/preview", json=body)
    assert answer.status_code == 200, answer.text
    assert answer.json()["success"], f"{answer.text}\n{server.output()}"
    return dict(answer.json())


def hidden(server: Server, **params: Any) -> dict[str, Any]:
    answer = server.client.delete("/preview", params=params)
    assert answer.status_code == 200, answer.text
    return dict(answer.json())


def playlist(server: Server, camera: int = 0, **params: int) -> httpx.Response:
    return httpx.get(
        f"{root(server)}/hls/cam{camera}.m3u8",
        params={f"_HLS_{name}": value for name, value in params.items()},
        timeout=20,
    )


def names(text: str) -> list[str]:
    """The whole segments of a playlist."""
    return [line for line in text.splitlines() if line and not line.startswith("#")]


def tag(text: str, name: str) -> str:
    (value,) = tag_values(text, name)
    return value


def tag_values(text: str, name: str) -> list[str]:
    """The value of each such tag, in order."""
    return [line.partition(":")[2] for line in text.splitlines() if line.startswith(name + ":")]


def mode(server: Server) -> dict[str, Any]:
    return dict(server.get("/pipeline-state"))


def live_pid(server: Server) -> int:
    """The live process of this server's data directory."""
    directory = os.fsencode(server.data / "run")
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                words = (entry / "cmdline").read_bytes().split(b"\0")
            except OSError:
                continue
            if b"touchline.live" in words and directory in words:
                return int(entry.name)
    raise AssertionError("there is no live process")


@contextmanager
def stopped_process(pid: int) -> Iterator[None]:
    os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        if is_running(pid):
            os.kill(pid, signal.SIGCONT)


def taken(source: str, target: Path, *options: str, seconds: float = 3) -> Path:
    """What ffmpeg takes from a live source, without decoding it."""
    command = [
        *("ffmpeg", "-nostdin", "-y", "-loglevel", "error", *options, "-i", source),
        *("-t", str(seconds), "-c", "copy", str(target)),
    ]
    done = subprocess.run(command, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    return target
