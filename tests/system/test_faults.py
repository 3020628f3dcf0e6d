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

from support.frames import assert_gapless, counters
from support.rtsp import rtsp_camera
from support.server import SMALL, Server, serving, wait_for
from touchline.worker import mp4scan

needs_root = pytest.mark.skipif(os.geteuid() != 0, reason="mounts a filesystem: needs root")
FPS = 30


def recorded_for(server: Server, seconds: float) -> None:
    wait_for(lambda: server.status()["duration"] >= seconds, f"{seconds} s old", seconds + 15)


def frames_of(server: Server, match_id: str, camera: int) -> list[list[int]]:
    """The counters of each segment, each without a hole in itself."""
    return [assert_gapless(path) for path in server.segments(match_id, camera)]


def growing(server: Server, camera: int) -> bool:
    before = server.status()["cameras"][f"camera_{camera}"]["frames"]
    time.sleep(0.7)
    return bool(server.status()["cameras"][f"camera_{camera}"]["frames"] > before)


def test_a_killed_worker_costs_little_and_the_match_goes_on(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.started("m1")
        recorded_for(server, 3)
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        wait_for(lambda: len(server.segments("m1", 0)) == 2, "going on in a new segment", 5)
        wait_for(lambda: growing(server, 0), "recorded again", 5)
        status = server.status()
        assert status["camera_recovery"]["camera_0"]["attempts"] == 1
        assert status["camera_recovery"]["camera_1"]["attempts"] == 0
        recorded_for(server, 6)
        stopped = server.stop()
        assert stopped["success"], stopped
        first, second = frames_of(server, "m1", 0)
        lost_s = (second[0] - first[-1] - 1) / FPS
        assert lost_s < 2.5
        (gap,) = server.manifest("m1")["gaps"]
        assert gap["camera"] == "cam0"
        assert (gap["to_unix_ns"] - gap["from_unix_ns"]) / 1e9 == pytest.approx(lost_s, abs=0.1)
        assert_gapless(*server.segments("m1", 1))
        assert all(mp4scan.scan(p, checksums=True).finalized for p in server.segments("m1", 0))
        assert server.alerts().count("recording_camera_lost") == 1
        assert server.alerts().count("recording_camera_recovered") == 1


def test_a_worker_that_hangs_is_replaced(tmp_path: Path) -> None:
    with serving(tmp_path, unresponsive_after_s=1.5) as server:
        server.started("m1")
        recorded_for(server, 2)
        os.kill(server.worker_pids()[1], signal.SIGSTOP)
        wait_for(lambda: len(server.segments("m1", 1)) == 2, "going on in a new segment", 10)
        wait_for(lambda: growing(server, 1), "recorded again", 5)
        assert server.stop()["success"]
        assert_gapless(*server.segments("m1", 0))


def test_a_killed_server_loses_nothing_and_the_next_one_takes_over(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.started("m1")
        recorded_for(server, 2)
        workers = server.worker_pids()
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
            frames = assert_gapless(*server.segments("m1", camera))
            assert len(frames) >= 5.5 * FPS
        assert server.manifest("m1")["gaps"] == []


def test_server_and_workers_killed_together_the_match_is_mended_and_resumed(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as server:
        server.started("m1")
        recorded_for(server, 3)
        workers = server.worker_pids()
        server.kill()
        for pid in workers.values():
            os.kill(pid, signal.SIGKILL)
        server.start()
        wait_for(lambda: server.status()["match_id"] == "m1", "resumed", 2)
        wait_for(lambda: growing(server, 0) and growing(server, 1), "recording again")
        stopped = server.stop()
        assert stopped["success"], stopped
        manifest = server.manifest("m1")
        assert manifest["interruptions"][0]["resumed"] is True
        assert {gap["camera"] for gap in manifest["gaps"]} == {"cam0", "cam1"}
        for camera in (0, 1):
            first, second = frames_of(server, "m1", camera)
            assert len(first) >= 2.4 * FPS
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
        server.kill()
        for pid in workers.values():
            os.kill(pid, signal.SIGKILL)
        server.start()
        assert server.status()["recording"] is False
        assert server.get("/pipeline-state")["mode"] == "idle"
        assert server.manifest("m1")["state"] == "interrupted"
        for camera in (0, 1):
            (path,) = server.segments("m1", camera)
            assert mp4scan.scan(path, checksums=True).finalized
            assert_gapless(path)
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
        wait_for(lambda: "camera_1" in server.status()["degraded_cameras"], "seen", 3)
        assert server.get("/recording-health")["healthy"] is False
        time.sleep(2)
        rtsp.start()
        wait_for(lambda: len(server.segments("m1", 1)) == 2, "back on disk", 6)
        wait_for(lambda: not server.status()["degraded"], "well again", 6)
        stopped = server.stop()
        assert stopped["success"], stopped
        assert_gapless(*server.segments("m1", 0))
        frames_of(server, "m1", 1)
        (gap,) = server.manifest("m1")["gaps"]
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
        wait_for(lambda: "camera_1" in server.status()["degraded_cameras"], "seen", 4)
        time.sleep(3)
        rtsp.thaw()
        wait_for(lambda: not server.status()["degraded"], "well again", 10)
        wait_for(lambda: growing(server, 1), "recorded again", 5)
        assert server.stop()["success"]
        assert_gapless(*server.segments("m1", 0))


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
        wait_for(lambda: server.status()["cameras"]["camera_0"]["disk"] == "full", "seen", 5)
        assert "Disk full" in server.get("/recording-health")["message"]
        for camera in (0, 1):
            (path,) = server.segments("m1", camera)
            counters(path)  # what is there can be decoded
        ballast.unlink()
        wait_for(lambda: server.status()["cameras"]["camera_0"]["disk"] == "ok", "seen", 5)
        wait_for(lambda: growing(server, 0) and growing(server, 1), "recording again", 5)
        stopped = server.stop()
        assert stopped["success"], stopped
        for camera in (0, 1):
            assert_gapless(*server.segments("m1", camera))  # it all waited in memory
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
            slowest_s = 0.0
            end = time.monotonic() + 10
            while time.monotonic() < end:
                began = time.monotonic()
                assert server.status()["recording"]
                slowest_s = max(slowest_s, time.monotonic() - began)
                time.sleep(0.1)
        finally:
            subprocess.run(["fsfreeze", "--unfreeze", str(disk)], check=True)
        assert slowest_s < 2, "the API waited for the disk"
        wait_for(lambda: growing(server, 0) and growing(server, 1), "recording again", 10)
        stopped = server.stop()
        assert stopped["success"], stopped
        for camera in (0, 1):
            frames = assert_gapless(*server.segments("m1", camera))
            assert len(frames) > 11 * FPS


@needs_root
def test_a_power_cut_leaves_playable_files_and_the_match_is_resumed(tmp_path: Path) -> None:
    with filesystem(tmp_path, 256) as disk:
        with serving(
            tmp_path, recordings_dir=str(disk / "recordings"), min_free_bytes=16 << 20
        ) as server:
            server.started("m1")
            recorded_for(server, 4)
            sent = {c: server.status()["cameras"][f"camera_{c}"]["frames"] for c in (0, 1)}
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
                wait_for(lambda: growing(server, 0), "recording again")
                stopped = server.stop()
                assert stopped["success"], stopped
                for camera in (0, 1):
                    first, *_ = frames_of(server, "m1", camera)
                    assert len(first) >= sent[camera] - FPS
                    order = [frames[0] for frames in frames_of(server, "m1", camera)]
                    assert all(a < b for a, b in pairwise(order))
        finally:
            subprocess.run(["umount", "-l", str(mount)], check=True)
