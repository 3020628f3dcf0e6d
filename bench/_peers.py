"""What others would record the same camera with: ffmpeg and gst-launch, as in their manuals."""

from __future__ import annotations

import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import _processes
from _footage import counters

RESTART_PAUSE_S = 0.1
SEGMENT_S = 5

Recipe = Callable[[str, Path, int], list[str]]
"""The command that records a URL into a folder, in its n-th life."""


def ffmpeg(url: str, folder: Path, life: int) -> list[str]:
    """Copied into fragmented MP4 segments, each packet handed to the kernel at once."""
    return [
        *("ffmpeg", "-nostdin", "-loglevel", "error", "-rtsp_transport", "tcp"),
        *("-timeout", "1000000", "-i", url, "-map", "0:v:0", "-c", "copy"),
        *("-f", "segment", "-segment_time", str(SEGMENT_S), "-segment_format", "mp4"),
        *("-segment_format_options", "movflags=frag_keyframe+empty_moov+default_base_moof"),
        *("-flush_packets", "1", str(folder / f"ffmpeg_{life:03}_%03d.mp4")),
    ]


def splitmux(url: str, folder: Path, life: int) -> list[str]:
    """Copied by splitmuxsink into fragmented MP4 segments."""
    return [
        *("gst-launch-1.0", "-q", "rtspsrc", f"location={url}", "protocols=tcp", "latency=200"),
        *("tcp-timeout=1000000", "!", "rtph264depay", "!", "h264parse", "!", "splitmuxsink"),
        f"location={folder / f'splitmux_{life:03}_%03d.mp4'}",
        *(f"max-size-time={SEGMENT_S * 1_000_000_000}", "muxer=mp4mux fragment-duration=250"),
    ]


class Supervised:
    """A recorder that is started again whenever it ends, as systemd or a shell loop would."""

    def __init__(self, name: str, recipe: Recipe, url: str, folder: Path) -> None:
        self.folder = folder / name
        self.folder.mkdir(parents=True)
        self._recipe, self._url = recipe, url
        self._process: subprocess.Popen[bytes] | None = None
        self._leaving = threading.Event()
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def _run(self) -> None:
        life = 0
        while not self._leaving.is_set():
            command = self._recipe(self._url, self.folder, life)
            self._process = subprocess.Popen(
                command,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            self._process.wait()
            life += 1
            self._leaving.wait(RESTART_PAUSE_S)

    def kill(self) -> None:
        """`kill -9`, and the supervisor starts the next one."""
        if self._process is not None:
            self._process.kill()

    def close(self) -> None:
        """End it for good, in order where it still can."""
        self._leaving.set()
        if self._process is not None:
            _processes.end(self._process, number=2)
        self._thread.join()

    def files(self) -> list[Path]:
        """What it has written, oldest first."""
        return sorted(self.folder.glob("*.mp4"))

    def size_bytes(self) -> int:
        """How much it has written."""
        return sum(path.stat().st_size for path in self.files())

    def counters(self) -> list[int]:
        """The counters of all frames that its files still show."""
        return [counter for path in self.files() for counter in counters(path)]


@contextmanager
def supervised(name: str, recipe: Recipe, url: str, folder: Path) -> Iterator[Supervised]:
    """A supervised recorder that has begun to write; gone at the end of the block."""
    made = Supervised(name, recipe, url, folder)
    try:
        _processes.wait_for(f"file of {name}", lambda: made.size_bytes() > 0, every_s=0.02)
        yield made
    finally:
        made.close()
