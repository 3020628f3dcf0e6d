"""What may go wrong on a match day, done to the real server: nothing that was filmed is lost."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import pairwise
from pathlib import Path

import pytest

from support.footage import (
    assert_complete,
    assert_delivered,
    assert_kept,
    gaps,
    on_disk,
    rising,
    span,
)
from support.frames import counters
from support.rtsp import rtsp_camera
from support.server import SMALL, Server, serving, wait_for
from touchline.media.mp4 import scan

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a filesystem: needs root")
FPS = 30


def recorded_for(server: Server, seconds: float) -> None:
    wait_for(lambda: server.status()["duration"] >= seconds, f"{seconds} s old", seconds + 60)
    wait_for(lambda: all(c["frames"] for c in server.status()["cameras"].values()), "recorded")


def growing(server: Server, camera: int) -> bool:
    before = server.status()["cameras"][f"camera_{camera}"]["frames"]
    time.sleep(0.7)
    return bool(server.status()["cameras"][f"camera_{camera}"]["frames"] > before)


def test_a_killed_worker_costs_little_and_the_match_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.started("m1")
        recorded_for(server, 3)
        before = on_disk(server, "m1", 0)
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        wait_for(lambda: len(server.segments("m1", 0)) == 2, "going on in a new segment", 60)
        wait_for(lambda: growing(server, 0), "recorded again", 60)
        status = server.status()
        assert status["camera_recovery"]["camera_0"]["attempts"] == 1
        assert status["camera_recovery"]["camera_1"]["attempts"] == 0
        recorded_for(server, 6)
        stopped = server.stop()
        assert stopped["success"], stopped
        first = assert_kept(server.segments("m1", 0)[0], before)
        second = assert_complete(server, "m1", 0, part=1)
        lost_s = (second[0] - first[-1] - 1) / FPS
        (gap,) = gaps(server, "m1")
        assert gap["camera"] == "cam0"
        assert (gap["to_unix_ns"] - gap["from_unix_ns"]) / 1e9 == pytest.approx(lost_s, abs=0.1)
        assert_complete(server, "m1", 1)
        assert all(scan.scan(p, checksums=True).finalized for p in server.segments("m1", 0))
        assert server.alerts().count("recording_camera_lost") == 1
        assert server.alerts().count("recording_camera_recovered") == 1


def test_a_worker_that_hangs_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path, unresponsive_after_s=1.5) as server:
        server.started("m1")
        recorded_for(server, 2)
        os.kill(server.worker_pids()[1], signal.SIGSTOP)
        wait_for(lambda: len(server.segments("m1", 1)) == 2, "going on in a new segment", 60)
        wait_for(lambda: growing(server, 1), "recorded again", 60)
        assert server.stop()["success"]
        assert_complete(server, "m1", 0)


def test_a_killed_server_loses_nothing_and_the_next_one_takes_over(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.started("m1")
        recorded_for(server, 2)
        workers = server.worker_pids()
        before = {c: on_disk(server, "m1", c)[0] for c in (0, 1)}
        server.kill()
        time.sleep(1.5)  # the match goes on without a server
        server.start()
        status = server.status()
        assert status["recording"]
        assert status["match_id"] == "m1"
        assert status["duration"] > 3.5
        assert server.worker_pids() == workers
        recorded_for(server, 6)
        stopped = server.stop()
        assert stopped["success"], stopped
        for camera in (0, 1):
            assert len(server.segments("m1", camera)) == 1
            frames = assert_complete(server, "m1", camera)
            assert span(frames) >= before[camera] + 1.5 * FPS
        assert gaps(server, "m1") == []


def test_server_and_workers_killed_together_the_match_is_mended_and_resumed(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as server:
        server.started("m1")
        recorded_for(server, 3)
        workers = server.worker_pids()
        before = {c: on_disk(server, "m1", c) for c in (0, 1)}
        server.kill()
        for pid in workers.values():
            os.kill(pid, signal.SIGKILL)
        server.start()
        wait_for(lambda: server.status()["match_id"] == "m1", "resumed", 60)
        wait_for(lambda: growing(server, 0) and growing(server, 1), "recording again", 60)
        stopped = server.stop()
        assert stopped["success"], stopped
        manifest = server.manifest("m1")
        assert manifest["interruptions"][0]["resumed"] is True
        assert {gap["camera"] for gap in manifest["gaps"]} == {"cam0", "cam1"}
        for camera in (0, 1):
            first = assert_kept(server.segments("m1", camera)[0], before[camera])
            second = assert_complete(server, "m1", camera, part=1)
            assert second[0] > first[-1]
        assert "recording_interrupted" in server.alerts()
        assert "recording_resumed" in server.alerts()


def test_an_interrupted_match_is_only_mended_where_resuming_is_switched_off(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, resume_after_crash=False) as server:
        server.started("m1")
        recorded_for(server, 2)
        workers = server.worker_pids()
        before = {c: on_disk(server, "m1", c) for c in (0, 1)}
        server.kill()
        for pid in workers.values():
            os.kill(pid, signal.SIGKILL)
        server.start()
        assert server.status()["recording"] is False
        assert server.get("/pipeline-state")["mode"] == "idle"
        assert server.manifest("m1")["state"] == "interrupted"
        for camera in (0, 1):
            (path,) = server.segments("m1", camera)
            assert scan.scan(path, checksums=True).finalized
            assert_kept(path, before[camera])
        assert server.started("m2")["success"]
        assert server.stop()["success"]


def test_an_rtsp_camera_that_reboots_comes_back_and_the_other_loses_nothing(
    tmp_path: Path,
) -> None:
    with (
        rtsp_camera(width=320, height=180) as rtsp,
        serving(tmp_path, {0: SMALL, 1: {"kind": "rtsp", "url": rtsp.url}}) as server,
    ):
        wait_for(lambda: server.get("/cameras")["cameras"][1]["state"] == "running", "connected")
        server.started("m1")
        recorded_for(server, 2)
        rtsp.kill()
        first_life = len(rtsp.ledger())
        wait_for(lambda: "camera_1" in server.status()["degraded_cameras"], "seen", 60)
        assert server.get("/recording-health")["healthy"] is False
        time.sleep(2)
        rtsp.start()
        wait_for(lambda: len(server.segments("m1", 1)) == 2, "back on disk", 60)
        wait_for(lambda: not server.status()["degraded"], "well again", 60)
        stopped = server.stop()
        assert stopped["success"], stopped
        assert_complete(server, "m1", 0)
        lives = (rtsp.ledger()[:first_life], rtsp.ledger()[first_life:])
        for path, ledger in zip(server.segments("m1", 1), lives, strict=True):
            assert_delivered(rising(path), ledger)
        (gap,) = gaps(server, "m1")
        assert gap["camera"] == "cam1"
        assert server.alerts().count("recording_camera_lost") == 1


def test_a_frozen_rtsp_camera_is_seen_within_a_second_or_so_and_recorded_again(
    tmp_path: Path,
) -> None:
    with (
        rtsp_camera(width=320, height=180) as rtsp,
        serving(tmp_path, {0: SMALL, 1: {"kind": "rtsp", "url": rtsp.url}}) as server,
    ):
        wait_for(lambda: server.get("/cameras")["cameras"][1]["state"] == "running", "connected")
        server.started("m1")
        recorded_for(server, 2)
        rtsp.freeze()
        wait_for(lambda: "camera_1" in server.status()["degraded_cameras"], "seen", 60)
        time.sleep(3)
        rtsp.thaw()
        wait_for(lambda: not server.status()["degraded"], "well again", 60)
        wait_for(lambda: growing(server, 1), "recorded again", 60)
        assert server.stop()["success"]
        assert_complete(server, "m1", 0)


@contextmanager
def filesystem(folder: Path, megabytes: int) -> Iterator[Path]:
    """A small ext4 filesystem of its own, on a file."""
    image, mount = folder / "disk.img", folder / "disk"
    mount.mkdir()
    with image.open("wb") as file:
        file.truncate(megabytes << 20)
    subprocess.run(["mkfs.ext4", "-q", "-F", str(image)], check=True)
    subprocess.run(["mount", "-o", "loop", str(image), str(mount)], check=True)
    try:
        yield mount
    finally:
        subprocess.run(["umount", "-l", str(mount)], check=True)


@needs_root
def test_a_full_disk_pauses_the_recording_and_space_lets_it_go_on(tmp_path: Path) -> None:
    with (
        filesystem(tmp_path, 160) as disk,
        serving(
            tmp_path,
            recordings_dir=str(disk / "recordings"),
            min_free_bytes=16 << 20,
            backlog_bytes=4 << 20,
        ) as server,
    ):
        server.started("m1")
        recorded_for(server, 2)
        ballast = disk / "ballast"
        free = shutil.disk_usage(disk).free
        with ballast.open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, free - (10 << 20))
        wait_for(lambda: server.status()["cameras"]["camera_0"]["disk"] == "full", "seen", 60)
        assert "Disk full" in server.get("/recording-health")["message"]
        for camera in (0, 1):
            (path,) = server.segments("m1", camera)
            counters(path)  # what is there can be decoded
        ballast.unlink()
        wait_for(lambda: server.status()["cameras"]["camera_0"]["disk"] == "ok", "seen", 60)
        wait_for(lambda: growing(server, 0) and growing(server, 1), "recording again", 60)
        stopped = server.stop()
        assert stopped["success"], stopped
        for camera in (0, 1):
            assert_complete(server, "m1", camera)  # it all waited in memory
        assert server.alerts().count("recording_disk_full") == 1
        assert server.alerts().count("recording_disk_recovered") == 1


@needs_root
def test_a_disk_that_stalls_for_ten_seconds_costs_no_frame(tmp_path: Path) -> None:
    with (
        filesystem(tmp_path, 256) as disk,
        serving(
            tmp_path, recordings_dir=str(disk / "recordings"), min_free_bytes=16 << 20
        ) as server,
    ):
        server.started("m1")
        recorded_for(server, 2)
        subprocess.run(["fsfreeze", "--freeze", str(disk)], check=True)
        try:
            end = time.monotonic() + 10
            while time.monotonic() < end:
                # Answered while the disk is frozen: an API that waited for it would never answer.
                assert server.status()["recording"]
                time.sleep(0.1)
        finally:
            subprocess.run(["fsfreeze", "--unfreeze", str(disk)], check=True)
        wait_for(lambda: growing(server, 0) and growing(server, 1), "recording again", 60)
        stopped = server.stop()
        assert stopped["success"], stopped
        for camera in (0, 1):
            assert span(assert_complete(server, "m1", camera)) > 10 * FPS


@needs_root
def test_a_power_cut_leaves_playable_files_and_the_match_is_resumed(tmp_path: Path) -> None:
    with filesystem(tmp_path, 256) as disk:
        with serving(
            tmp_path, recordings_dir=str(disk / "recordings"), min_free_bytes=16 << 20
        ) as server:
            server.started("m1")
            recorded_for(server, 4)
            before = {c: on_disk(server, "m1", c) for c in (0, 1)}
            # What a power cut leaves is what the image holds at this instant, caches lost.
            shutil.copy(tmp_path / "disk.img", tmp_path / "cut.img")
            assert server.stop()["success"]
        after = tmp_path / "after"
        after.mkdir()
        mount = tmp_path / "cut"
        mount.mkdir()
        subprocess.run(["mount", "-o", "loop", str(tmp_path / "cut.img"), str(mount)], check=True)
        try:
            with serving(
                after, recordings_dir=str(mount / "recordings"), min_free_bytes=16 << 20
            ) as server:
                assert server.status()["match_id"] == "m1"
                wait_for(lambda: growing(server, 0), "recording again", 60)
                stopped = server.stop()
                assert stopped["success"], stopped
                for camera in (0, 1):
                    assert_kept(server.segments("m1", camera)[0], before[camera])
                    assert_complete(server, "m1", camera, part=-1)
                    firsts = [rising(path)[0] for path in server.segments("m1", camera)]
                    assert all(a < b for a, b in pairwise(firsts))
        finally:
            subprocess.run(["umount", "-l", str(mount)], check=True)
