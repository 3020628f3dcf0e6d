"""A clip of a minute out of a match of 1080p30: how soon its first byte comes, and the whole.

The peer cuts the same stretch with ffmpeg, exactly, which means coding all of it anew.
"""

from __future__ import annotations

import subprocess
import tempfile
import time
from pathlib import Path

import _options
import httpx
from _report import Row, median, percentile, report, times
from _server import Server

CAMERAS = {0: {"kind": "test", "width": 1920, "height": 1080}}
CLIP_S, BESIDE_S = 60, 8
STARTS_S = (1.3, 2.77, 3.5, 4.95, 5.41, 6.08)


def main() -> None:
    options = _options.parser(__doc__, rounds=1)
    options.add_size("seconds", CLIP_S, quick=2, what="of a clip")
    clip_s = options.parse_args().seconds
    firsts_ms: list[float] = []
    wholes_s: list[float] = []
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        server = Server(Path(name), CAMERAS)
        server.start()
        try:
            url = f"{server.url}/api/v1"
            with httpx.Client(base_url=url, timeout=60) as client:
                client.post("/recording", json={"match_id": "m"}).raise_for_status()
                time.sleep(clip_s + BESIDE_S)
                client.delete("/recording", params={"force": True}).raise_for_status()
                for start_s in STARTS_S:
                    first_ms, whole_s = cut(client, start_s, clip_s)
                    firsts_ms.append(first_ms)
                    wholes_s.append(whole_s)
            (segment,) = (server.recordings / "m" / "segments").glob("*.mp4")
            anew_s = coded_anew(segment, Path(name) / "peer.mp4", clip_s)
        finally:
            server.stop()
    report(
        [
            Row(
                "clip",
                f"{clip_s} s of 1080p30, exact to the frame: first byte, worst / whole",
                f"{percentile(firsts_ms, 100):.0f} ms / {median(wholes_s):.2f} s",
                "≤ 1 s / none",
                max(firsts_ms) <= 1000,
                f"ffmpeg, all of it coded anew: {anew_s:.1f} s",
                times(median(wholes_s), anew_s),
            )
        ]
    )


def cut(client: httpx.Client, start_s: float, clip_s: int) -> tuple[float, float]:
    """Milliseconds to the first byte, and seconds to the last."""
    began_s = time.perf_counter()
    params = {"camera": "0", "start": f"{start_s}", "end": f"{start_s + clip_s}"}
    with client.stream("GET", "/recordings/m/clip", params=params) as answer:
        answer.raise_for_status()
        chunks = answer.iter_raw()
        next(chunks)
        first_ms = (time.perf_counter() - began_s) * 1e3
        for _ in chunks:
            pass
    return first_ms, time.perf_counter() - began_s


def coded_anew(segment: Path, out: Path, clip_s: int) -> float:
    """Seconds that ffmpeg needs for the same stretch."""
    command = [
        *("ffmpeg", "-nostdin", "-v", "error", "-y", "-ss", str(STARTS_S[0]), "-i", str(segment)),
        *("-t", str(clip_s), "-c:v", "libx264", "-preset", "superfast", str(out)),
    ]
    began_s = time.perf_counter()
    subprocess.run(command, check=True)
    return time.perf_counter() - began_s


if __name__ == "__main__":
    main()
