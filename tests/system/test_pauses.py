"""Processes that stand still for a while during a recording: nobody healthy is killed for it."""

from __future__ import annotations

import os
import signal
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from support.footage import gaps
from support.frames import counters
from support.overload import FPS, both_record, faults, stop_for
from support.server import Server, serving, wait_for

EDGE_S = 0.5
"""The last pictures before the stop may still be in the encoder, or the camera left some out."""


def assert_nothing_is_missing(server: Server, match_id: str) -> None:
    """One segment a camera, without a hole but for frames that the camera itself left out."""
    stopped = server.stop()
    dropped = {c["id"]: c["dropped"]["source"] for c in server.get("/cameras")["cameras"]}
    assert not faults(stopped), stopped
    (part,) = server.manifest(match_id)["parts"]
    for camera in (0, 1):
        (segment,) = server.segments(match_id, camera)
        found = counters(segment)
        missing = found[-1] - found[0] + 1 - len(found)
        assert missing <= dropped[camera], f"{missing} frames are missing"
        filmed_s = (part["ended_ns"] - part["first_ns"][f"cam{camera}"]) / 1e9
        assert len(found) + missing >= (filmed_s - EDGE_S) * FPS
    assert gaps(server, match_id) == []
    assert "recording_camera_lost" not in server.alerts()


def assert_health_never_cried_wolf(server: Server) -> None:
    """A look after the pause has been written, and none was an alert."""
    assert server.get("/recording-health")["healthy"]
    lines = (server.data / "logs" / "health_monitor.log").read_text().splitlines()
    assert lines
    assert not [line for line in lines if "ALERT" in line]


@pytest.mark.parametrize(
    "seconds", [1.0, 4.0, pytest.param(30.0, marks=pytest.mark.slow)], ids=["1s", "4s", "30s"]
)
def test_a_server_that_stood_still_kills_nobody_and_costs_no_frame(
    tmp_path: Path, seconds: float
) -> None:
    with serving(tmp_path, unresponsive_after_s=2.5) as server:
        server.started("m1")
        wait_for(lambda: both_record(server), "recording")
        workers = server.worker_pids()
        stop_for(server.pid, seconds)
        wait_for(lambda: server.status()["duration"] >= seconds + 1.5, "going on")
        assert server.worker_pids() == workers
        assert_health_never_cried_wolf(server)
        assert_nothing_is_missing(server, "m1")


def test_a_server_that_stutters_kills_nobody(tmp_path: Path) -> None:
    """Stopped again and again, as a machine that swaps does."""
    with serving(tmp_path, unresponsive_after_s=2.5) as server:
        server.started("m1")
        wait_for(lambda: both_record(server), "recording")
        workers = server.worker_pids()
        for _ in range(8):
            stop_for(server.pid, 0.6)
            time.sleep(0.03)
        wait_for(lambda: server.status()["duration"] >= 6, "going on")
        assert server.worker_pids() == workers
        assert_nothing_is_missing(server, "m1")


@pytest.mark.parametrize("seconds", [1.0, 2.5], ids=["1s", "2.5s"])
def test_a_worker_that_stood_still_for_less_than_the_limit_is_kept(
    tmp_path: Path, seconds: float
) -> None:
    with serving(tmp_path) as server:
        server.started("m1")
        wait_for(lambda: both_record(server), "recording")
        workers = server.worker_pids()
        stop_for(workers[0], seconds)
        wait_for(lambda: server.status()["duration"] >= 4, "going on")
        assert server.worker_pids() == workers
        stopped = server.stop()
        assert not faults(stopped), stopped
        assert len(server.segments("m1", 0)) == 1
        listed = [gap for gap in server.manifest("m1")["gaps"] if gap["camera"] == "cam0"]
        lengths_s = [(gap["to_unix_ns"] - gap["from_unix_ns"]) / 1e9 for gap in listed]
        assert max(lengths_s) > seconds - 0.3, "what nobody filmed meanwhile is listed"


def test_a_live_process_that_stood_still_for_a_moment_is_kept(tmp_path: Path) -> None:
    with serving(tmp_path, preview_while_recording=True) as server:
        server.started("m1")
        assert server.client.post("/preview", json={"transport": "hls"}).status_code == 200
        pid = wait_for(server.live_pid, "started")
        stop_for(pid, 1.0)
        wait_for(lambda: server.status()["duration"] >= 3, "going on")
        stop_for(server.pid, 4.0)
        wait_for(lambda: server.status()["duration"] >= 8, "going on")
        assert server.live_pid() == pid
        assert_nothing_is_missing(server, "m1")


def test_a_stop_across_a_pause_of_the_server_reports_success(tmp_path: Path) -> None:
    """The answers of the workers wait when the server goes on; its time limits do not cut them."""
    with serving(tmp_path, stop_timeout_s=1) as server:
        server.started("m1")
        wait_for(lambda: both_record(server), "recording")
        pid = server.pid
        with ThreadPoolExecutor() as pool:
            stopping = pool.submit(server.stop)
            for _ in range(3):
                time.sleep(0.05)
                stop_for(pid, 1.5)
            stopped = stopping.result()
        assert not faults(stopped), stopped


@pytest.mark.slow
def test_a_worker_that_stood_still_for_long_is_replaced_and_costs_one_listed_gap(
    tmp_path: Path,
) -> None:
    with serving(tmp_path) as server:
        server.started("m1")
        wait_for(lambda: both_record(server), "recording")
        workers = server.worker_pids()
        stop_for(workers[0], 30.0, is_replaced=True)
        wait_for(lambda: server.status()["duration"] >= 33, "going on")
        now = server.worker_pids()
        assert now[0] != workers[0]
        assert now[1] == workers[1]
        server.stop()
        lost = gaps(server, "m1")
        assert [gap["camera"] for gap in lost] == ["cam0"], lost
        assert (lost[0]["to_unix_ns"] - lost[0]["from_unix_ns"]) / 1e9 < 10
        assert len(server.segments("m1", 0)) == 2
        (other,) = server.segments("m1", 1)
        found = counters(other)
        dropped = server.get("/cameras")["cameras"][1]["dropped"]["source"]
        assert found[-1] - found[0] + 1 - len(found) <= dropped


@pytest.mark.slow
def test_a_live_process_that_stood_still_for_long_costs_no_footage_and_comes_back(
    tmp_path: Path,
) -> None:
    with serving(tmp_path, preview_while_recording=True) as server:
        server.started("m1")
        assert server.client.post("/preview", json={"transport": "hls"}).status_code == 200
        pid = wait_for(server.live_pid, "started")
        stop_for(pid, 30.0, is_replaced=True)
        wait_for(lambda: server.live_pid() not in {None, pid}, "the live process is replaced")

        def shown() -> bool:
            cameras = server.get("/preview")["cameras"].values()
            return all(camera["state"] == "running" for camera in cameras)

        wait_for(shown, "the preview is back")
        assert_nothing_is_missing(server, "m1")


@pytest.mark.slow
def test_all_processes_that_stood_still_together_go_on(tmp_path: Path) -> None:
    """As where the machine is suspended, or its container paused: what nobody filmed is listed."""
    with serving(tmp_path, preview_while_recording=True) as server:
        server.started("m1")
        assert server.client.post("/preview", json={"transport": "hls"}).status_code == 200
        wait_for(lambda: both_record(server), "recording")
        live, workers = wait_for(server.live_pid, "started"), server.worker_pids()
        pids = [server.pid, live, *workers.values()]
        for pid in pids:
            os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(10.0)
        finally:
            for pid in pids:
                os.kill(pid, signal.SIGCONT)
        wait_for(lambda: server.status()["duration"] >= 13, "going on")
        assert server.worker_pids() == workers
        assert server.live_pid() == live
        assert_health_never_cried_wolf(server)
        stopped = server.stop()
        assert stopped["transport_success"], stopped
        assert "recording_camera_lost" not in server.alerts()
