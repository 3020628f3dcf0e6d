"""The real server on disks that are not mounted, turn read-only or stall during a match."""

from __future__ import annotations

import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import disks
from support.footage import gaps
from support.frames import counters
from support.server import Server, serving, wait_for
from touchline.media.mp4 import scan

MIN_FREE_BYTES = 16 << 20


@pytest.fixture
def image(tmp_path: Path) -> Iterator[disks.Image]:
    yield from disks.image(tmp_path)


def disk_is(server: Server, state: str) -> bool:
    cameras = server.status()["cameras"].values()
    return all(camera["disk"] == state for camera in cameras)


def files_with_footage(server: Server, camera: int) -> int:
    """A file that has none yet is removed when its worker dies."""
    found = (scan.scan(path, checksums=False).fragments for path in server.segments("m1", camera))
    return sum(bool(fragments) for fragments in found)


def grows(server: Server, frames: int) -> bool:
    cameras = server.status()["cameras"].values()
    return all(camera["frames"] >= frames for camera in cameras)


def test_a_disk_that_turns_read_only_in_a_match_costs_nothing_and_says_what_to_do(
    tmp_path: Path, image: disks.Image
) -> None:
    recordings = str(image.at / "recordings")
    with serving(tmp_path, recordings_dir=recordings, min_free_bytes=MIN_FREE_BYTES) as server:
        server.started("m1")
        wait_for(lambda: grows(server, 30), "a second of footage")
        image.fail()
        wait_for(lambda: disk_is(server, "read_only"), "seen")
        status = server.status()
        assert status["degraded"]
        assert "fsck" in status["disk"]["what_to_do"]
        assert "Disk read-only" in server.get("/recording-health")["message"]
        image.repair()
        wait_for(lambda: disk_is(server, "ok"), "footage again")
        stopped = server.stop()
        assert stopped["success"], (stopped["integrity"], stopped["gaps"])
        assert gaps(server, "m1") == []
        dropped = {c["id"]: c["dropped"]["source"] for c in server.get("/cameras")["cameras"]}
        for camera in (0, 1):
            segments = server.segments("m1", camera)
            assert len(segments) >= 2
            found = [number for path in segments for number in counters(path)]
            assert found == sorted(set(found)), "a frame is there twice"
            # A busy machine lets the simulated camera itself leave frames out.
            assert found[-1] - found[0] + 1 - len(found) <= dropped[camera]
        assert server.alerts().count("recording_disk_read_only") == 1
        assert server.alerts().count("recording_disk_recovered") == 1


def test_an_unmounted_disk_refuses_the_start_and_is_recorded_onto_when_it_is_there(
    tmp_path: Path, image: disks.Image
) -> None:
    recordings = image.at / "recordings"
    settings: dict[str, Any] = {
        "recordings_dir": str(recordings),
        "min_free_bytes": MIN_FREE_BYTES,
    }
    with serving(tmp_path, **settings):
        pass  # from now on it is known where the recordings belong
    image.unmount()
    with serving(tmp_path, **settings) as server:
        assert server.get("/health")["status"] == "error"
        refused = server.record("m1")
        assert refused["success"] is False
        assert "not mounted" in refused["message"]
        assert list(image.at.iterdir()) == []
        image.mount()
        server.started("m1")
        wait_for(lambda: grows(server, 10), "footage")
        assert server.stop()["success"]
        assert (recordings / "m1").is_dir()


def test_a_stalled_disk_that_holds_logs_and_database_too_costs_no_frame(
    tmp_path: Path, image: disks.Image
) -> None:
    """As in the default layout, where everything is below one data directory."""
    data = image.at / "data"
    data.mkdir()
    with serving(data, min_free_bytes=MIN_FREE_BYTES) as server:
        server.started("m1")
        wait_for(lambda: grows(server, 30), "a second of footage")
        workers = server.worker_pids()
        with image.frozen():
            wait_for(lambda: disk_is(server, "slow"), "seen")
            until_s = server.status()["duration"] + 10
            wait_for(lambda: server.status()["duration"] >= until_s, "ten seconds")
        wait_for(lambda: disk_is(server, "ok"), "footage again")
        assert server.worker_pids() == workers
        assert "recording_camera_lost" not in server.alerts()
        stopped = server.stop()
        assert stopped["success"], (stopped["integrity"], stopped["gaps"])
        dropped = {c["id"]: c["dropped"]["source"] for c in server.get("/cameras")["cameras"]}
        for camera in (0, 1):
            found = [number for path in server.segments("m1", camera) for number in counters(path)]
            assert found[-1] - found[0] + 1 - len(found) <= dropped[camera]


@pytest.mark.parametrize("trouble", ["full", "read-only"])
def test_trouble_with_the_data_directory_costs_no_recording(
    tmp_path: Path, image: disks.Image, trouble: str
) -> None:
    """The recordings are on another disk, and so are the sockets, as where the service has /run."""
    data, runtime = image.at / "data", tmp_path / "run"
    data.mkdir()
    elsewhere: dict[str, Any] = {
        "recordings_dir": str(tmp_path / "recordings"),
        "runtime_dir": str(runtime),
        "standby_workers": False,
    }
    with serving(data, **elsewhere) as server:
        server.started("m1")
        wait_for(lambda: grows(server, 30), "a second of footage")
        if trouble == "full":
            image.fill()
        else:
            image.fail()
        for times in (1, 2):
            for pid in server.worker_pids().values():
                os.kill(pid, signal.SIGKILL)
            wait_for(
                lambda: all(files_with_footage(server, n) > times for n in (0, 1)),  # noqa: B023
                "going on in new files",
            )
        wait_for(lambda: not server.status()["degraded"], "well again")
        stopped = server.stop()
        assert stopped["success"], (stopped["integrity"], stopped["gaps"])
        server.started("m2")
        wait_for(lambda: grows(server, 30), "a second of footage")
        assert server.stop()["success"]
        assert server.manifest("m2")["number"] > server.manifest("m1")["number"]


def test_a_full_disk_under_the_database_costs_no_footage_and_no_server(
    tmp_path: Path, image: disks.Image
) -> None:
    data = image.at / "data"
    data.mkdir()
    with serving(data, recordings_dir=str(tmp_path / "recordings")) as server:
        pid = server.pid
        server.started("m1")
        wait_for(lambda: grows(server, 30), "a second of footage")
        ballast = disks.fill(image.at)
        for frames in (60, 90, 120):
            wait_for(lambda: grows(server, frames), "recorded further")  # noqa: B023
            mark = server.client.post("/recordings/m1/markers", json={"kind": "goal"})
            assert mark.status_code == 200, mark.text
        stopped = server.stop()
        assert stopped["success"], (stopped["integrity"], stopped["gaps"])
        assert gaps(server, "m1") == []
        ballast.unlink()
        server.started("m2")
        wait_for(lambda: grows(server, 30), "a second of footage")
        assert server.stop()["success"]
        assert server.pid == pid
