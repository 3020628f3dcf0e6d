"""C5: how long a stop takes, until both files are finished and verified, at any length.

The match of two hours is built, not played: its folder holds twelve finished and verified segments
of 600 s for each camera (true in every box, but with small frames), and says that it was being
recorded. The server takes it up as after a crash, records on, and is stopped like the short one.
A stop also finishes the open segment; how much more that is at 600 s is measured on a file.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import tempfile
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path

import _options
from _footage import plays
from _processes import wait_for
from _report import Row, is_quick, median, percentile, report, times
from _server import TEST_CAMERAS, Server, server

from touchline.ipc import wire
from touchline.ipc.tee import Frame
from touchline.media.h264.codec import Codec
from touchline.media.mp4 import scan, writer
from touchline.media.mp4.fragment import fragment_part
from touchline.media.mp4.sample import TIMESCALE, Mp4Sample
from touchline.media.storage.disk import Disk
from touchline.worker.recording.segments import OpenSegment, SegmentNames

SEGMENT_S, FPS = 600, 30
FRAMES_A_FRAGMENT, FRAME_BYTES = 6, 120  # the writer cuts at every keyframe too: 8, 8, 8, 6
LONG_ID, SHORT_ID = "long", "short"
CODEC = Codec(1280, 720, bytes.fromhex("0164001fffe1000467640a1f010002680f"))


class Unsynced(Disk):
    """The disk of a recorder that need not wait for every fragment, but does for the end."""

    waits = False

    def sync(self, fd: int) -> None:
        """Nothing while fragments are appended: the caller syncs them all at once."""
        if self.waits:
            super().sync(fd)


def open_segment(path: Path, start_unix_ns: int) -> None:
    """A segment of 600 s as it lies on the disk before it is finished."""
    frame = TIMESCALE // FPS
    starts = range(0, SEGMENT_S * FPS + 1, FRAMES_A_FRAGMENT)
    with path.open("wb") as file:
        file.write(writer.init_part(CODEC))
        for n, (first, end) in enumerate(pairwise(starts), start=1):
            samples = [
                Mp4Sample(os.urandom(FRAME_BYTES), i * frame, i * frame, frame, i % FPS == 0)
                for i in range(first, end)
            ]
            capture_ns = start_unix_ns + first * 1_000_000_000 // FPS
            file.write(fragment_part(n, samples, capture_ns))


def long_match(folder: Path, match_id: str, number: int) -> None:
    """Make the folder of a match of so many segments that was being recorded until now."""
    (folder / "segments").mkdir(parents=True)
    start_ns = time.time_ns() - number * SEGMENT_S * 1_000_000_000
    segments = []
    for n in range(number):
        at_ns = start_ns + n * SEGMENT_S * 1_000_000_000
        label = time.strftime("%Y%m%d_%H%M%S", time.localtime(start_ns / 1e9))
        first = folder / "segments" / f"cam0_{label}_{n:02}.mp4"
        open_segment(first, at_ns)
        scan.salvage(first)
        shutil.copy(first, first.with_name(first.name.replace("cam0", "cam1")))
        facts = {
            "index": n,
            "start_unix_ns": at_ns,
            "end_unix_ns": at_ns + SEGMENT_S * 1_000_000_000,
            "frames": SEGMENT_S * FPS,
            "fragments": SEGMENT_S * FPS // FRAMES_A_FRAGMENT,
            "size_bytes": first.stat().st_size,
            "finalized": True,
            "verified": True,
        }
        for camera in ("cam0", "cam1"):
            name = first.name.replace("cam0", camera)
            segments.append({**facts, "name": name, "camera": camera})
    manifest = {
        "format_version": 1,
        "match_id": match_id,
        "state": "recording",
        "clock": {"start_unix_ns": start_ns, "start_monotonic_ns": None, "boot_id": None},
        "segments": segments,
    }
    (folder / "match.json").write_text(json.dumps(manifest))


def stop_ms(touchline: Server) -> float:
    began_s = time.perf_counter()
    answer = touchline.end_recording()
    taken_ms = (time.perf_counter() - began_s) * 1e3
    good = all(camera["integrity_ok"] for camera in answer["integrity"]["cameras"].values())
    if not good and not is_quick():
        raise SystemExit(f"a stop answered without verified files: {answer}")
    return taken_ms


def resumed_stop_ms(work: Path, pattern: Path, short_s: float) -> tuple[float, float]:
    """One server's life: the long match is stopped, then a short one."""
    match = work / "data" / "recordings" / LONG_ID
    shutil.rmtree(work / "data", ignore_errors=True)
    long_match_at_now(pattern, match)
    built = len(list((match / "segments").glob("cam1_*")))
    with server(work, TEST_CAMERAS) as touchline:
        wait_for("the match to be taken up", lambda: touchline.status()["recording"], every_s=0.05)
        wait_for("a new segment", lambda: len(touchline.segments(LONG_ID, 1)) > built)
        time.sleep(short_s)
        long_ms = stop_ms(touchline)
        touchline.record(SHORT_ID)
        time.sleep(short_s)
        short_ms = stop_ms(touchline)
        touchline.stop()
    return long_ms, short_ms


def long_match_at_now(pattern: Path, match: Path) -> None:
    """Copy the built match, with its clock moved so that it ends now."""
    shutil.copytree(pattern, match, copy_function=os.link)
    manifest = json.loads((match / "match.json").read_bytes())
    end_ns = max(segment["end_unix_ns"] for segment in manifest["segments"])
    later_ns = time.time_ns() - end_ns
    for times_of in (manifest["clock"], *manifest["segments"]):
        for key in ("start_unix_ns", "end_unix_ns"):
            if times_of.get(key) is not None:
                times_of[key] += later_ns
    (match / "match.json").unlink()
    (match / "match.json").write_text(json.dumps(manifest))


def finishing_ms(work: Path) -> tuple[float, float]:
    """Finishing a segment of 600 s, and walking through it, as a stop does with the open one."""
    order = wire.RecordOrder(
        match_id="finishing",
        directory=str(work),
        prefix="cam0",
        label=time.strftime("%Y%m%d_%H%M%S"),
        first_index=0,
        unix_minus_monotonic_ns=0,
        start_monotonic_ns=0,
        segment_s=SEGMENT_S,
        fragment_s=FRAMES_A_FRAGMENT / FPS,
        min_free_bytes=0,
        backlog_bytes=1 << 20,
        max_match_s=SEGMENT_S,
    )
    frame_ns = 1_000_000_000 // FPS
    frames = [
        Frame(os.urandom(FRAME_BYTES), n * frame_ns, n * frame_ns, frame_ns, n % FPS == 0, CODEC)
        for n in range(SEGMENT_S * FPS)
    ]
    disk = Unsynced()
    segment = OpenSegment.create(disk, SegmentNames(order), order.label, frames[0])
    for first in range(0, len(frames), FRAMES_A_FRAGMENT):
        part = frames[first : first + FRAMES_A_FRAGMENT]
        segment.append(part, part[-1].dts_ns + frame_ns)
    path = work / segment.info["name"]
    fd = os.open(path, os.O_RDONLY)
    os.fsync(fd)  # while recording each fragment was synced; here all of them at once
    os.close(fd)
    disk.waits = True
    began_s = time.perf_counter()
    segment.finish()
    finished_s = time.perf_counter()
    found = scan.scan(path, checksums=False)
    walked_s = time.perf_counter()
    if not found.finalized or found.frames != len(frames):
        raise SystemExit(f"the built segment is not whole: {found.faults}")
    path.unlink()
    return (finished_s - began_s) * 1e3, (walked_s - finished_s) * 1e3


def gst_launch_ms(work: Path, short_s: float) -> float:
    """Two gst-launch pipelines told to end, and ffprobe's look at both files."""
    paths = [work / f"gst{camera}.mp4" for camera in (0, 1)]
    with ExitStack() as stack:
        processes = []
        for path in paths:
            pipeline = (
                "videotestsrc is-live=true ! video/x-raw,format=I420,width=1280,height=720,"
                "framerate=30/1 ! queue ! x264enc speed-preset=ultrafast sliced-threads=true"
                f" bitrate=20000 key-int-max=30 ! h264parse ! mp4mux ! filesink location={path}"
            )
            process = subprocess.Popen(
                ["gst-launch-1.0", "-q", "-e", *pipeline.split()],
                stdout=subprocess.DEVNULL,
                stderr=subprocess.DEVNULL,
            )
            stack.callback(process.kill)
            processes.append(process)
        time.sleep(short_s)
        began_s = time.perf_counter()
        for process in processes:
            process.send_signal(signal.SIGINT)
        for process in processes:
            process.wait(20)
        good = all(plays(path) for path in paths)
        taken_ms = (time.perf_counter() - began_s) * 1e3
    if not good:
        raise SystemExit("gst-launch left a file that does not play")
    return taken_ms


def main() -> None:
    options = _options.parser(__doc__, rounds=7)
    options.add_size("seconds", 10.0, quick=2.0, what="that are recorded for each match")
    options.add_size("segments", 12, quick=1, what="of 600 s, of which the long match is built")
    args = options.parse_args()
    rounds, hours = args.rounds, args.segments * SEGMENT_S / 3600
    long_ms, short_ms, peers, finishing, walking = [], [], [], [], []
    with tempfile.TemporaryDirectory(prefix="touchline-bench-") as name:
        work = Path(name)
        pattern = work / "pattern"
        long_match(pattern, LONG_ID, args.segments)
        for _ in range(rounds):
            long, short = resumed_stop_ms(work / "server", pattern, args.seconds)
            long_ms.append(long)
            short_ms.append(short)
            finished, walked = finishing_ms(work)
            finishing.append(finished)
            walking.append(walked)
            peers.append(gst_launch_ms(work, args.seconds))
    p95 = max(percentile(short_ms, 95), percentile(long_ms, 95))
    more = median(long_ms) / median(short_ms)
    report(
        [
            Row(
                "C5",
                f"stop: DELETE until both files are finished and verified, p95 of {rounds},"
                f" {args.seconds:g} s / {hours:.2g} h match (two simulated 720p30 cameras, x264)",
                f"{percentile(short_ms, 95):.0f} / {percentile(long_ms, 95):.0f} ms"
                f" (median {median(short_ms):.0f} / {median(long_ms):.0f})",
                "<= 150 ms",
                p95 <= 150,
                f"two gst-launch -e and ffprobe of both files: {median(peers):.0f} ms",
                times(median(short_ms), median(peers)),
            ),
            Row(
                "C5",
                f"the {hours:.2g} h match (built: {2 * args.segments} verified segments of 600 s,"
                f" then {args.seconds:g} s recorded) against the {args.seconds:g} s one, medians",
                f"{more:.2f} times",
                "<= 1.10",
                more <= 1.10,
            ),
            Row(
                "C5",
                "what an open segment of 600 s adds to either: finishing + walking it",
                f"{median(finishing):.0f} + {median(walking):.0f} ms a camera",
                "-",
                met=True,
            ),
        ]
    )


if __name__ == "__main__":
    main()
