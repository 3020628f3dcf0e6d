"""Recording onto real filesystems that fill, turn read-only, go away, and come back."""

from __future__ import annotations

import errno
import resource
import shutil
import subprocess
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from support import disks
from support.coded import FRAME_NS, frames
from support.recorded import DEADLINE_S, eventually, minded, numbers_in
from support.segments import order
from touchline.ipc.tee import Frame
from touchline.media.mp4 import scan as mp4scan
from touchline.media.storage.disk import Disk, state_of
from touchline.worker.recording.pace import DiskPace
from touchline.worker.recording.recorder import CameraRecorder


class Live:
    """A recorder on the real disk, and what it told."""

    def __init__(self, folder: Path, **changed: object) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.said: list[dict[str, Any]] = []
        self.recorder = CameraRecorder(
            order(folder, **changed), notify=self.said.append, wall_label=lambda: "20260211_230000"
        )

    def push(self, sent: list[Frame]) -> None:
        for frame in sent:
            self.recorder.push(frame)

    def is_state(self, state: str) -> None:
        minded(
            self.recorder,
            lambda: self.recorder.disk_state == state,
            f"disk {state}, not {self.recorder.disk_state}: {self.recorder.disk_error}",
        )

    def on_disk(self, count: int) -> None:
        eventually(lambda: self.recorder.frames >= count, f"{count} frames on the disk")

    def states(self) -> list[str]:
        return [message["state"] for message in self.said if message["event"] == "disk"]

    def numbers(self) -> list[int]:
        paths = sorted(self.folder.iterdir(), key=lambda path: path.stem[-2:])
        return [number for path in paths for number in numbers_in(path)]

    def close(self) -> dict[str, Any]:
        return self.recorder.close(DEADLINE_S)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[disks.SmallDisk]:
    yield from disks.small_disk(tmp_path)


@pytest.fixture
def image(tmp_path: Path) -> Iterator[disks.Image]:
    yield from disks.image(tmp_path)


@pytest.mark.parametrize(
    ("number", "state"),
    [
        (errno.ENOSPC, "full"),
        (errno.EDQUOT, "full"),
        (errno.EROFS, "read_only"),
        (errno.EFBIG, "file_too_large"),
        (errno.ENOENT, "gone"),
        (errno.ENODEV, "gone"),
        (errno.ENXIO, "gone"),
        (errno.ESTALE, "gone"),
        (errno.ENOTCONN, "gone"),
        (errno.EIO, "error"),
        (errno.EACCES, "error"),
    ],
)
def test_the_number_of_an_error_tells_the_state_whatever_its_words(number: int, state: str) -> None:
    assert state_of(OSError(number, "Pas assez de place")) == state


def test_a_disk_that_fills_and_empties(small_disk: disks.SmallDisk) -> None:
    live = Live(small_disk.at / "m1", min_free_bytes=4 << 20)
    sent = frames(200, gop=25)
    live.push(sent[:60])
    ballast = small_disk.fill()
    live.is_state("full")
    live.push(sent[60:130])
    ballast.unlink()
    live.on_disk(120)
    live.is_state("ok")
    live.push(sent[130:])
    report = live.close()
    assert live.numbers() == list(range(200))
    assert (report["finalized"], report["gaps"], report["dropped_disk"]) == (True, [], 0)
    assert live.states() == ["full", "ok"]


def test_a_disk_that_turns_read_only_and_is_repaired(image: disks.Image) -> None:
    live = Live(image.at / "m1")
    sent = frames(200, gop=25)
    live.push(sent[:60])
    live.on_disk(50)
    image.fail()
    live.push(sent[60:110])
    live.is_state("read_only")
    image.repair()
    live.on_disk(100)
    live.is_state("ok")
    live.push(sent[110:])
    report = live.close()
    assert live.numbers() == list(range(200))
    assert (report["gaps"], report["dropped_disk"], report["finalized"]) == ([], 0, True)
    assert (live.states()[0], live.states()[-1]) == ("read_only", "ok")


def test_nothing_is_written_to_the_disk_underneath_while_the_right_one_is_gone(
    small_disk: disks.SmallDisk,
) -> None:
    folder = small_disk.at / "recordings" / "m1" / "segments"
    live = Live(folder, mount_point=str(small_disk.at))
    sent = frames(200, gop=25)
    live.push(sent[:60])
    live.on_disk(50)
    small_disk.go_away()
    folder.mkdir(parents=True)  # what an unmounted disk leaves may look the same
    live.is_state("gone")
    live.push(sent[60:120])
    assert list(folder.iterdir()) == []
    shutil.rmtree(small_disk.at / "recordings")
    small_disk.mount()
    live.is_state("ok")  # an empty disk: the folders are made on it
    live.push(sent[120:])
    live.close()
    assert live.states() == ["gone", "ok"]
    # What was on the lost disk is gone with it; from its last keyframe on, all is on the new one.
    assert live.numbers() == list(range(50, 200))


def test_the_same_disk_mounted_again_has_everything(image: disks.Image) -> None:
    live = Live(image.at / "m1", mount_point=str(image.at))
    sent = frames(200, gop=25)
    live.push(sent[:60])
    live.on_disk(50)
    subprocess.run(["umount", "--lazy", str(image.at)], check=True)
    live.is_state("gone")
    live.push(sent[60:120])
    image.mount()
    live.is_state("ok")
    live.push(sent[120:])
    report = live.close()
    assert live.numbers() == list(range(200))
    assert (report["gaps"], report["dropped_disk"], report["finalized"]) == ([], 0, True)


def test_a_folder_that_was_removed_is_made_again(tmp_path: Path) -> None:
    live = Live(tmp_path / "m1" / "segments")
    sent = frames(100, gop=25)
    live.push(sent[:40])
    live.on_disk(32)
    shutil.rmtree(tmp_path / "m1")
    live.is_state("gone")
    live.push(sent[40:60])
    live.is_state("ok")
    live.push(sent[60:])
    live.close()
    assert live.numbers() == list(range(25, 100))


def test_a_folder_is_not_made_again_without_the_recordings_around_it(tmp_path: Path) -> None:
    root = tmp_path / "recordings"
    live = Live(root / "m1" / "segments")
    live.push(frames(40, gop=25))
    live.on_disk(32)
    root.rename(tmp_path / "elsewhere")
    live.is_state("gone")
    report = live.close()
    assert not root.exists()
    assert report["error"]


# ------------------------------------------------------------- the size of files


@pytest.fixture
def file_limit() -> Iterator[int]:
    """No file of this process may have more than 60 kB."""
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    limit = 60_000
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, hard))
    yield limit
    resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))


class UnawareDisk(Disk):
    """One whose limit cannot be asked for, as that of a FAT filesystem."""

    def file_limit_bytes(self) -> int | None:
        return None


@pytest.mark.parametrize("disk", [Disk(), UnawareDisk()], ids=["known", "found out"])
def test_a_limit_of_file_size_begins_another_segment_and_costs_nothing(
    tmp_path: Path, file_limit: int, disk: Disk
) -> None:
    said: list[dict[str, Any]] = []
    recorder = CameraRecorder(order(tmp_path), notify=said.append, disk=disk)
    for frame in frames(600, gop=25):  # 300 kB
        recorder.push(frame)
    report = recorder.close(DEADLINE_S)
    paths = [tmp_path / segment["name"] for segment in report["segments"]]
    assert len(paths) > 4
    assert [number for path in paths for number in numbers_in(path)] == list(range(600))
    assert report["finalized"]
    assert (report["gaps"], report["dropped_disk"], report["dropped_writer"]) == ([], 0, 0)
    assert all(path.stat().st_size <= file_limit for path in paths)
    for before, after in pairwise(report["segments"]):
        assert before["end_unix_ns"] == after["start_unix_ns"]
    scans = [mp4scan.scan(path, checksums=True) for path in paths]
    assert all(scan.finalized and not scan.faults for scan in scans)
    states = [message["state"] for message in said if message["event"] == "disk"]
    assert states[:2] == ["file_too_large", "ok"]


def test_a_group_of_pictures_that_no_file_can_hold_is_cut_short_and_counted(
    tmp_path: Path, file_limit: int
) -> None:
    said: list[dict[str, Any]] = []
    recorder = CameraRecorder(order(tmp_path), notify=said.append)
    for frame in frames(400, gop=200):  # 100 kB each
        recorder.push(frame)
    report = recorder.close(DEADLINE_S)
    lost = report["dropped_disk"] + report["dropped_writer"]
    assert report["frames"] + lost == 400
    assert report["frames"] > 100
    assert report["gaps"]
    assert report["gaps"][0]["to_unix_ns"] - report["gaps"][0]["from_unix_ns"] > 50 * FRAME_NS


# ---------------------------------------------------------------------- slowness


def test_a_disk_is_slow_when_a_fragment_takes_twice_its_length_and_well_when_it_is_done() -> None:
    pace = DiskPace(0.25)
    pace.begin(0)
    assert pace.complaint(400_000_000) is None
    assert "0.6 s so far" in str(pace.complaint(600_000_000))
    pace.end(700_000_000)
    assert pace.complaint(701_000_000) is None, "one slow fragment in a hundred is no slow disk"


def test_a_disk_is_slow_when_the_99th_percentile_is_over_a_fragments_length() -> None:
    pace, now = DiskPace(0.25), 0
    for n in range(40):
        pace.begin(now)
        now += 300_000_000 if n in {10, 25} else 5_000_000
        pace.end(now)
        now += 200_000_000
        assert (pace.complaint(now) is not None) == (n >= 25)
    assert pace.complaint(now + 5_100_000_000) is None, "five seconds without a slow one"
