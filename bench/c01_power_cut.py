"""C1: the power is cut while a match is recorded: what is on the disk, and whether it plays.

Recordings lie on an ext4 file system in an image file (in memory, through a loop device). At a
random moment the image is copied while it is written, as a disk that loses its power keeps what had
reached it; the copy is mounted, which replays ext4's journal. Frames are counted by their burnt-in
counters against those captured by the end of the copy, so what the copying itself takes (some
0.1 s) counts as lost. Beside it, onto an image of their own that is copied at the same moment:
ffmpeg and gst-launch's splitmuxsink, both recording the same cameras in fragments, without a sync.
"""

from __future__ import annotations

import random
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path

import _cameras
import _options
import _peers
from _cameras import FPS, Camera
from _footage import counters, plays
from _processes import NotInTime, wait_for
from _report import Row, median, report, times
from _server import Server, server

from touchline.media.mp4 import scan as mp4scan

IMAGE_MIB = 160
SEGMENT_S = _peers.SEGMENT_S
SHORTEST_S, LONGEST_S = 4.0, 16.0
MATCH = "match"


@dataclass
class Losses:
    """Over all power cuts: seconds lost by one camera in one cut, and files that did not play."""

    seconds: list[float] = field(default_factory=list)
    unplayable: int = 0
    files: int = 0

    def count(self, camera: Camera, cut_s: float, started: int, found: set[int]) -> None:
        """Take a camera's frames from `started` on that are there against those captured."""
        expected = range(started, camera.captured(cut_s))
        self.seconds.append(sum(counter not in found for counter in expected) / FPS)

    def text(self) -> str:
        """Worst and median, and what did not play."""
        return (
            f"{max(self.seconds):.2f} s (median {median(self.seconds):.2f}),"
            f" {self.unplayable} of {self.files} files unplayable"
        )


@contextmanager
def mounted(image: Path, at: Path) -> Iterator[Path]:
    at.mkdir(exist_ok=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(at)], check=True)
    try:
        yield at
    finally:
        subprocess.run(["umount", "--lazy", str(at)], check=True)


def new_image(path: Path) -> Path:
    with path.open("wb") as file:
        file.truncate(IMAGE_MIB << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(path)], check=True)
    return path


def first_counter(files: list[Path]) -> int | None:
    shown = (counters(path) for path in files)
    return next((found[0] for found in shown if found), None)


def cut(images: list[Path], copies: list[Path]) -> float:
    """Copy the images as they are now; returns the CLOCK_MONOTONIC time of the end."""
    for image, copy in zip(images, copies, strict=True):
        shutil.copyfile(image, copy)
    return time.monotonic()


def judge_ours(
    disk: Path, filmed: list[Camera], starts: list[int], cut_s: float
) -> tuple[Losses, int]:
    """What lies on the copied disk, before any repair: losses, and finished segments not intact."""
    losses, touched = Losses(), 0
    for number, camera in enumerate(filmed):
        folder = disk / "data" / "recordings" / MATCH / "segments"
        files = sorted(folder.glob(f"cam{number}_*.mp4"))
        for path in files[:-1]:
            scan = mp4scan.scan(path, checksums=True)
            touched += not scan.finalized or bool(scan.faults)
        found: set[int] = set()
        for path in files:
            shown = counters(path)
            found.update(shown)
            # A segment that was made an instant ago holds its head, and no frame yet.
            empty = not shown and path is files[-1] and path.stat().st_size < 4096
            losses.unplayable += not shown and not empty
            losses.files += 1
        losses.count(camera, cut_s, starts[number], found)
    return losses, touched


def unfinished(made: Server, cameras: int) -> list[str]:
    """Names of files with footage that are not finished, or do not play."""
    found = []
    for number in range(cameras):
        for path in made.segments(MATCH, number):
            scan = mp4scan.scan(path, checksums=True)
            if scan.fragments and not (scan.finalized and not scan.faults and plays(path)):
                found.append(path.name)
    return found


def judge_restart(work: Path, disk: Path, filmed: list[Camera]) -> tuple[float, list[str]]:
    """A server on the copied disk: seconds until it answers, and files that do not play then."""
    made = Server(
        work,
        {n: {"kind": "test"} for n in range(len(filmed))},
        data=disk / "data",
        resume_after_crash=False,
        min_free_bytes=16 << 20,
    )
    try:
        began = made.start()
        with suppress(NotInTime):  # what is left then is counted
            wait_for("whole match", lambda: not unfinished(made, len(filmed)))
        made.stop()
        if made.manifest(MATCH)["state"] != "interrupted":
            raise SystemExit("the server did not notice the interrupted match")
        return began, unfinished(made, len(filmed))
    finally:
        made.close()


def power_cut(
    work: Path, filmed: list[Camera], ours: Losses, peers: dict[str, Losses], longest_s: float
) -> tuple[int, list[str], float]:
    """One match, cut off at a random moment."""
    images = [new_image(work / "ours.img"), new_image(work / "peers.img")]
    copies = [work / "ours-cut.img", work / "peers-cut.img"]
    recipes = {"ffmpeg": _peers.ffmpeg, "splitmux": _peers.splitmux}
    settings = {n: camera.settings() for n, camera in enumerate(filmed)}
    with ExitStack() as stack:
        disk = stack.enter_context(mounted(images[0], work / "ours"))
        others = stack.enter_context(mounted(images[1], work / "others"))
        touchline = stack.enter_context(
            server(
                work / "server",
                settings,
                data=disk / "data",
                segment_s=SEGMENT_S,
                min_free_bytes=16 << 20,
            )
        )
        recorders = {
            (name, number): stack.enter_context(
                _peers.supervised(f"{name}{number}", recipe, camera.url, others)
            )
            for name, recipe in recipes.items()
            for number, camera in enumerate(filmed)
        }
        touchline.record(MATCH)
        time.sleep(random.uniform(SHORTEST_S, longest_s))
        cut_s = cut(images, copies)
        touchline.end_recording()
        starts = [
            first_counter(touchline.segments(MATCH, number)) or 0 for number in range(len(filmed))
        ]
        for recorder in recorders.values():
            recorder.close()
        peer_starts = {key: first_counter(recorder.files()) for key, recorder in recorders.items()}
    with mounted(copies[0], work / "ours") as disk, mounted(copies[1], work / "others") as others:
        losses, touched = judge_ours(disk, filmed, starts, cut_s)
        ours.seconds += losses.seconds
        ours.unplayable += losses.unplayable
        ours.files += losses.files
        for (name, number), started in peer_starts.items():
            files = sorted((others / f"{name}{number}").glob("*.mp4"))
            shown = [counters(path) for path in files]
            peers[name].files += len(files)
            peers[name].unplayable += sum(not each for each in shown)
            found = {counter for each in shown for counter in each}
            peers[name].count(filmed[number], cut_s, started or 0, found)
        took_s, bad = judge_restart(work / "server", disk, filmed)
    for path in (*images, *copies):
        path.unlink()
    return touched, bad, took_s


def main() -> None:
    options = _options.parser(__doc__, rounds=10)
    options.add_size("longest-s", LONGEST_S, quick=SHORTEST_S, what="of a match until its end")
    args = options.parse_args()
    rounds = args.rounds
    _options.need_root("C1")
    ours, peers = Losses(), {"ffmpeg": Losses(), "splitmux": Losses()}
    touched, bad, starts_s = 0, [], []
    with ExitStack() as stack:
        work = Path(
            stack.enter_context(
                tempfile.TemporaryDirectory(prefix="touchline-bench-", dir="/dev/shm")
            )
        )
        filmed = stack.enter_context(_cameras.cameras(2))
        for _ in range(rounds):
            cut_touched, cut_bad, took_s = power_cut(work, filmed, ours, peers, args.longest_s)
            touched += cut_touched
            bad += cut_bad
            starts_s.append(took_s)
    beside = "; ".join(f"{name} {losses.text()}" for name, losses in peers.items())
    best = min(median(losses.seconds) for losses in peers.values())
    worst = max(ours.seconds)
    report(
        [
            Row(
                "C1",
                f"power cut at a random moment, {rounds} times: footage lost per camera, worst"
                f" ({_cameras.DESCRIPTION}, ext4 image copied while written)",
                ours.text(),
                "<= 0.35 s, none unplayable",
                worst <= 0.35 and not ours.unplayable,
                f"without sync: {beside}",
                times(median(ours.seconds), best),
            ),
            Row(
                "C1",
                "the same: finished segments touched; files a server started on the copy left"
                " unfinished or unplayable",
                f"{touched}; {len(bad)}",
                "0; 0",
                not touched and not bad,
                f"the server answered after {median(starts_s):.1f} s, everything mended",
            ),
        ]
    )


if __name__ == "__main__":
    main()
