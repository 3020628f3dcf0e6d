"""C7: what recording by copy costs: processor time for a 1080p30 stream of 12 Mbit/s.

Two streams are recorded, and all of ours is counted: the server and both workers, with syncing,
checksums and everything that watches. Beside it, one after the other in every round, a process a
stream: `gst-launch-1.0 rtspsrc ! rtph264depay ! h264parse ! splitmuxsink` and `ffmpeg -c copy`.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Iterable
from contextlib import ExitStack
from pathlib import Path

import _options
import _processes
import _streams
from _processes import cpu_s
from _report import Row, is_quick, median, report
from _server import Server, server

STREAMS = 2
SETTLE_S = 3.0


def percent_a_stream(pids: Iterable[int], window_s: float) -> float:
    """Percent of a core that the processes use during the window, divided by the streams."""
    pids = list(pids)
    before_s, began_s = cpu_s(pids), time.monotonic()
    time.sleep(window_s)
    return 100 * (cpu_s(pids) - before_s) / (time.monotonic() - began_s) / STREAMS


def idle_server(work: Path, window_s: float) -> float:
    """A server with two cameras that nobody records and that need nothing: not per stream."""
    with server(work, {0: {"kind": "test"}, 1: {"kind": "test"}}) as touchline:
        time.sleep(SETTLE_S)
        return percent_a_stream(touchline.everything(), window_s) * STREAMS


def recording(touchline: Server, match_id: str, window_s: float) -> tuple[float, float]:
    """The workers', and the server's own, while recording."""
    touchline.record(match_id)
    time.sleep(SETTLE_S)
    workers = [camera["worker"]["pid"] for camera in touchline.cameras()]
    if len(workers) != STREAMS:
        raise SystemExit(f"{len(workers)} workers record {STREAMS} streams")
    before = {pid: cpu_s([pid]) for pid in touchline.everything()}
    began_s = time.monotonic()
    time.sleep(window_s)
    taken_s = time.monotonic() - began_s
    used = {pid: 100 * (cpu_s([pid]) - before[pid]) / taken_s / STREAMS for pid in before}
    status = touchline.status()
    for camera in status["cameras"].values():
        if camera["transcoded"] or (any(camera["dropped"].values()) and not is_quick()):
            raise SystemExit(f"this was no clean copy: {camera}")
    touchline.end_recording()
    ours = sum(used[pid] for pid in workers)
    return ours, sum(used.values()) - ours


def peer(commands: list[list[str]], window_s: float) -> float:
    with ExitStack() as stack:
        processes = [stack.enter_context(_processes.running(c, number=2)) for c in commands]
        time.sleep(SETTLE_S)
        used = percent_a_stream([process.pid for process in processes], window_s)
        if any(process.poll() is not None for process in processes):
            raise SystemExit(f"a recorder ended before its time: {commands[0][0]}")
    return used


def gst_launch(url: str, path: Path) -> list[str]:
    return [
        *("gst-launch-1.0", "-q", "-e", "rtspsrc", f"location={url}", "protocols=tcp"),
        *("latency=200", "!", "rtph264depay", "!", "h264parse", "!", "splitmuxsink"),
        *(f"location={path}", "max-size-time=600000000000"),
    ]


def ffmpeg(url: str, path: Path) -> list[str]:
    return [
        *("ffmpeg", "-nostdin", "-y", "-loglevel", "error", "-rtsp_transport", "tcp", "-i", url),
        *("-map", "0:v:0", "-c", "copy", str(path)),
    ]


def main() -> None:
    options = _options.parser(__doc__)
    options.add_size("window-s", 20.0, quick=1.0, what="measured at once")
    args = options.parse_args()
    if args.window_s > _streams.LASTS_S / 2:
        options.error(f"the streams last {_streams.LASTS_S} s")
    workers, servers, gst, ff = [], [], [], []
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        work = Path(name)
        _streams.make_file(work / "stream.mp4")
        idle = idle_server(work / "idle", args.window_s)
        with ExitStack() as stack:
            url = stack.enter_context(_streams.streams(work / "stream.mp4"))
            for n in range(args.rounds):
                cameras = {i: {"kind": "rtsp", "url": url} for i in range(STREAMS)}
                with server(work / f"server{n}", cameras) as touchline:
                    ours, own = recording(touchline, "match", args.window_s)
                    workers.append(ours)
                    servers.append(own)
                    touchline.stop()
                paths = [work / f"peer{i}.mp4" for i in range(STREAMS)]
                gst.append(peer([gst_launch(url, path) for path in paths], args.window_s))
                ff.append(peer([ffmpeg(url, path) for path in paths], args.window_s))
    total = [a + b for a, b in zip(workers, servers, strict=True)]
    ratio = median(total) / median(gst)
    report(
        [
            Row(
                "C7",
                f"record by copy, percent of a core a stream, everything on"
                f" ({STREAMS} {_streams.DESCRIPTION})",
                f"{median(total):.2f} % (worker {median(workers):.2f}, half the server"
                f" {median(servers):.2f})",
                "<= 1.0x gst-launch splitmuxsink",
                ratio <= 1.0,
                f"gst-launch splitmuxsink {median(gst):.2f} %, ffmpeg -c copy {median(ff):.2f} %",
                f"{ratio:.2f}x gst-launch, {median(total) / median(ff):.2f}x ffmpeg;"
                f" worker alone {median(workers) / median(gst):.2f}x gst-launch",
            ),
            Row(
                "C7",
                "an idle server with two idle workers, percent of a core",
                f"{idle:.2f} %",
                "-",
                met=True,
            ),
        ]
    )


if __name__ == "__main__":
    main()
