"""C8: what recording and previewing two 1080p30 cameras costs, and whether a frame is dropped.

All of ours is counted: the server, both workers and the live process; the two players that watch
over HLS are not ours. Beside it, one after the other in every round:
two bare processes that draw the same pictures with the same code, encode them with the same
elements and settings, and write them through mp4mux to a file, unsynced and with nobody watching.
"""

from __future__ import annotations

import subprocess
import sys
import tempfile
import time
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import _options
import _processes
from _footage import counters, missing
from _hls import copying_player
from _processes import cpu_s
from _report import Row, median, report
from _server import server

WIDTH, HEIGHT, FPS, CAMERAS = 1920, 1080, 30, 2
SETTLE_S = 3.0


@dataclass(frozen=True)
class Use:
    """What recording took: cores, and pictures that came through a second or were left out.

    A saturated machine leaves pictures out, and then does less work: so costs are told a picture.
    """

    cores: float
    pictures_a_second: float
    pictures: int
    left_out: int

    @property
    def ms_a_picture(self) -> float:
        """Processor time for a picture."""
        return 1000 * self.cores / self.pictures_a_second


def ours(work: Path, quality: str, window_s: float) -> Use:
    """The server and its workers; pictures are counted in the files."""
    camera = {"kind": "test", "width": WIDTH, "height": HEIGHT, "fps": FPS, "quality": quality}
    cameras = dict.fromkeys(range(CAMERAS), camera)
    with ExitStack() as stack:
        touchline = stack.enter_context(
            server(work, cameras, encoder="x264enc", preview_while_recording=True)
        )
        touchline.record("match")
        touchline.request("POST", "/preview", {"transport": "hls"})
        time.sleep(SETTLE_S)
        players = [
            stack.enter_context(
                _processes.running(copying_player(f"{touchline.url}/hls/cam{n}.m3u8"))
            )
            for n in range(CAMERAS)
        ]
        time.sleep(1)
        pids = touchline.everything()
        before_s, began_s = cpu_s(pids), time.monotonic()
        time.sleep(window_s)
        used = (cpu_s(pids) - before_s) / (time.monotonic() - began_s)
        if any(each.poll() is not None for each in players):
            raise RuntimeError("a player of the preview ended early")
        answer = touchline.end_recording(strict=False)  # what is missing is counted below
        lost = frames = 0
        for number in range(CAMERAS):
            for path in touchline.segments("match", number):
                found = counters(path, WIDTH, HEIGHT)
                frames += len(found)
                lost += missing(found)
        touchline.stop()
    return Use(used, frames / answer["duration"], frames, lost)


def bare(work: Path, quality: str, window_s: float) -> Use:
    """The bare processes; they count their pictures themselves."""
    script = Path(__file__).with_name("_bare_encode.py")
    with ExitStack() as stack:
        processes = []
        for number in range(CAMERAS):
            process = subprocess.Popen(
                [
                    *(sys.executable, str(script), str(WIDTH), str(HEIGHT), str(FPS), quality),
                    str(work / f"bare{number}.mp4"),
                ],
                stdout=subprocess.PIPE,
            )
            stack.callback(_processes.end, process)
            processes.append(process)
        for process in processes:
            _processes.first_line(process)  # ready
        time.sleep(SETTLE_S)
        pids = [process.pid for process in processes]
        before_s, began_s = cpu_s(pids), time.monotonic()
        time.sleep(window_s)
        used = (cpu_s(pids) - before_s) / (time.monotonic() - began_s)
        for process in processes:
            process.terminate()
        told = [_processes.first_line(process).split() for process in processes]
    return Use(
        cores=used,
        pictures_a_second=sum(int(drawn) / float(lasted_s) for drawn, _, lasted_s in told),
        pictures=sum(int(drawn) for drawn, _, _ in told),
        left_out=sum(int(left_out) for _, left_out, _ in told),
    )


def main() -> None:
    options = _options.parser(__doc__)
    options.add_size("window-s", 15.0, quick=1.0, what="measured at once")
    options.add_argument(
        "--quality", choices=("fast", "balanced", "high"), default="balanced", help="%(default)s"
    )
    args = options.parse_args()
    used: list[Use] = []
    peer: list[Use] = []
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        work = Path(name)
        for n in range(args.rounds):
            used.append(ours(work / f"round{n}", args.quality, args.window_s))
            peer.append(bare(work, args.quality, args.window_s))
    our_ms, peer_ms = (median(use.ms_a_picture for use in uses) for uses in (used, peer))
    our_cores, peer_cores = (median(use.cores for use in uses) for uses in (used, peer))
    lost, left_out = (sum(use.left_out for use in uses) for uses in (used, peer))
    ratio = our_ms / peer_ms
    preset = "ultrafast" if args.quality == "fast" else "superfast"
    report(
        [
            Row(
                "C8",
                f"record {CAMERAS} simulated {HEIGHT}p{FPS} cameras with x264 {preset} and preview"
                " both over HLS, processor time a picture",
                f"{our_ms:.1f} ms ({our_cores:.2f} cores)",
                "<= 1.05x two bare pipelines",
                ratio <= 1.05,
                f"two bare pipelines, same pictures, elements and settings: {peer_ms:.1f} ms"
                f" ({peer_cores:.2f} cores)",
                f"{ratio:.2f}x",
            ),
            Row(
                "C8",
                f"the same: frames missing of {lost + sum(use.pictures for use in used)}",
                str(lost),
                "0",
                lost == 0,
                f"bare pipelines left out {left_out} of theirs",
            ),
        ]
    )


if __name__ == "__main__":
    main()
