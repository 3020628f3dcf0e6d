"""C4: how soon a recording starts: the answer, the first footage on the disk, both cameras in step.

Beside it, in the same rounds: two gst-launch pipelines of the same size and encoder, started
together the way a script would, until both have a fragment in their file.
"""

from __future__ import annotations

import tempfile
import time
from contextlib import ExitStack
from pathlib import Path

import _options
import _processes
from _footage import counters
from _processes import wait_for
from _report import Row, median, percentile, report, times
from _server import TEST_CAMERAS, Server, server

from touchline.media.mp4 import scan
from touchline.media.mp4.walk import NotSegment


def has_fragment(path: Path) -> bool:
    try:
        return bool(scan.scan(path, checksums=False).fragments)
    except (FileNotFoundError, NotSegment):
        return False


def started(touchline: Server, match_id: str) -> tuple[float, float]:
    """Milliseconds until the answer, and until both cameras have a synced fragment on the disk."""
    began_s = time.perf_counter()
    touchline.record(match_id)
    answered_s = time.perf_counter()

    def written() -> bool:
        first = [touchline.segments(match_id, camera)[:1] for camera in (0, 1)]
        return all(files and has_fragment(files[0]) for files in first)

    wait_for("fragment of both cameras", written)
    written_s = time.perf_counter()
    touchline.end_recording()
    return (answered_s - began_s) * 1e3, (written_s - began_s) * 1e3


def skew_ms(touchline: Server, match_id: str) -> tuple[float, int]:
    """How far apart the cameras begin: by the files' capture times, and in frames by counter."""
    files = [touchline.segments(match_id, camera)[0] for camera in (0, 1)]
    starts = [scan.scan(path, checksums=False).start_unix_ns or 0 for path in files]
    shown = [counters(path)[0] for path in files]
    return abs(starts[0] - starts[1]) / 1e6, abs(shown[0] - shown[1])


def gst_launch_ms(work: Path) -> float:
    paths = [work / f"gst{camera}.mp4" for camera in (0, 1)]
    with ExitStack() as stack:
        began_s = time.perf_counter()
        for path in paths:
            path.unlink(missing_ok=True)
            pipeline = (
                "videotestsrc is-live=true ! video/x-raw,format=I420,width=1280,height=720,"
                "framerate=30/1 ! queue ! x264enc speed-preset=ultrafast sliced-threads=true"
                " bitrate=20000 key-int-max=30 ! h264parse ! mp4mux fragment-duration=250"
                f" ! filesink buffer-mode=unbuffered location={path}"
            )
            stack.enter_context(_processes.running(["gst-launch-1.0", "-q", *pipeline.split()]))
        wait_for("fragment of both pipelines", lambda: all(_has_moof(path) for path in paths))
        return (time.perf_counter() - began_s) * 1e3


def _has_moof(path: Path) -> bool:
    return path.exists() and b"moof" in path.read_bytes()[:1_000_000]


def main() -> None:
    args = _options.parser(__doc__, rounds=20).parse_args()
    answers, fragments, peers, skews, frames = [], [], [], [], []
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        work = Path(name)
        with server(work, TEST_CAMERAS) as touchline:
            for n in range(args.rounds):
                answer_ms, fragment_ms = started(touchline, f"start{n}")
                answers.append(answer_ms)
                fragments.append(fragment_ms)
                by_time, by_counter = skew_ms(touchline, f"start{n}")
                skews.append(by_time)
                frames.append(by_counter)
                peers.append(gst_launch_ms(work))
    answer_ms, fragment_ms = percentile(answers, 95), percentile(fragments, 95)
    simulated = "two simulated 720p30 cameras, x264"
    peer = f"two gst-launch, from nothing to a fragment in both files: {median(peers):.0f} ms"
    report(
        [
            Row(
                "C4",
                f"start: POST until answer, p95 of {len(answers)} ({simulated})",
                f"{answer_ms:.0f} ms (median {median(answers):.0f})",
                "<= 300 ms",
                answer_ms <= 300,
                "earlier system: 100-500 ms, before any frame had come",
            ),
            Row(
                "C4",
                f"start: POST until both cameras have footage on the disk, p95 of {len(answers)}",
                f"{fragment_ms:.0f} ms (median {median(fragments):.0f})",
                "<= 300 ms",
                fragment_ms <= 300,
                peer,
                times(median(fragments), median(peers)),
            ),
            Row(
                "C4",
                f"start: cameras apart, worst of {len(answers)}, first frames' capture times",
                f"{max(skews):.1f} ms, {max(frames)} frames by counter",
                "0 frames",
                max(frames) == 0,
                "earlier system: one camera after the other",
            ),
        ]
    )


if __name__ == "__main__":
    main()
