"""Misbehaving network cameras behind the real server: what they delivered is in the files."""

from __future__ import annotations

import os
import signal
import time
from contextlib import ExitStack
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from support.frames import counters, size
from support.rtsp import RtspCamera, rtsp_camera
from support.server import Server, serving, wait_for
from touchline.sim.rtsp.ledger import decodable

FPS = 30
SETTLE_NS = 500_000_000
"""Frames that were sent this shortly before the stop may belong behind it."""


def camera(url: str, **settings: Any) -> dict[str, Any]:
    return {"kind": "rtsp", "url": url, **settings}


def connected(server: Server, *cameras: int) -> None:
    def running() -> bool:
        facts = server.get("/cameras")["cameras"]
        return all(facts[number]["state"] == "running" for number in cameras)

    wait_for(running, "connected")


def recorded_for(server: Server, seconds: float) -> None:
    wait_for(lambda: server.status()["duration"] >= seconds, f"{seconds} s old", seconds + 20)


def sent(simulated: RtspCamera, from_ns: int, until_ns: int) -> list[int]:
    """The counters that the camera delivered meanwhile, to whoever recorded them."""
    ledger = simulated.ledger()
    clients = {entry["client"] for entry in ledger if entry["event"] == "frame"}
    found = [e for client in clients for e in decodable(ledger, client=client)]
    return sorted(e["counter"] for e in found if from_ns <= e["at_ns"] < until_ns)


def stopped(server: Server, *cameras: RtspCamera) -> dict[str, Any]:
    """Stop; a camera that had no processor to make its pictures leaves holes of its own."""
    report: dict[str, Any] = server.stop()
    if all(steady(each) for each in cameras):
        assert report["success"], report
    return report


def steady(simulated: RtspCamera) -> bool:
    """Whether the camera has delivered each picture that was due."""
    return all(b - a <= 1 for a, b in pairwise(sent(simulated, 0, 1 << 63)))


def test_what_four_misbehaving_cameras_delivered_is_recorded_without_a_gap(tmp_path: Path) -> None:
    """Held back by TCP for 1.5 s; a new SSRC with each keyframe; two tracks that change places;
    no keep-alive but GET_PARAMETER before a timeout of 2 s, and stray bytes."""
    behaviours: list[dict[str, Any]] = [
        {"hold_after": 4, "hold_for": 1.5},
        {"ssrc_each_keyframe": True},
        {"second_track": "160x90", "tracks_alternate": True},
        {"alive_by": "get_parameter", "session_timeout": 2, "stray_bytes": 20},
    ]
    with ExitStack() as stack:
        simulated = [
            stack.enter_context(rtsp_camera(width=320, height=180, **odd)) for odd in behaviours
        ]
        cameras = {n: camera(each.url) for n, each in enumerate(simulated)}
        server = stack.enter_context(serving(tmp_path, cameras))
        connected(server, *cameras)
        began_ns = time.monotonic_ns()
        server.started("m1")
        recorded_for(server, 7)
        until_ns = time.monotonic_ns() - SETTLE_NS
        report = stopped(server, *simulated)
        if all(steady(each) for each in simulated):
            assert report["gaps"] == []
        for number, each in enumerate(simulated):
            (path,) = server.segments("m1", number)
            delivered = sent(each, began_ns + SETTLE_NS, until_ns)
            assert len(delivered) > FPS
            missing = set(delivered) - set(counters(path))
            assert not missing, f"camera {number} lacks {sorted(missing)}"
        facts = server.get("/cameras")["cameras"]
        assert [each["dropped"]["source"] for each in facts] == [0] * 4
        assert (facts[2]["width"], facts[2]["height"]) == (320, 180)


def test_a_worker_that_stood_still_reads_what_its_cameras_sent_meanwhile(tmp_path: Path) -> None:
    with ExitStack() as stack:
        simulated = [stack.enter_context(rtsp_camera(width=320, height=180)) for _ in range(2)]
        cameras = {
            0: camera(simulated[0].url),
            1: camera(simulated[1].url, transport="udp"),
        }
        server = stack.enter_context(serving(tmp_path, cameras))
        connected(server, *cameras)
        began_ns = time.monotonic_ns()
        server.started("m1")
        recorded_for(server, 1.5)
        workers = server.worker_pids()
        for pid in workers.values():
            os.kill(pid, signal.SIGSTOP)
        try:
            time.sleep(2)
        finally:
            for pid in workers.values():
                os.kill(pid, signal.SIGCONT)
        recorded_for(server, 5)
        until_ns = time.monotonic_ns() - SETTLE_NS
        assert server.worker_pids() == workers
        report = stopped(server, *simulated)
        if all(steady(each) for each in simulated):
            assert report["gaps"] == []
        for number, each in enumerate(simulated):
            (path,) = server.segments("m1", number)
            missing = set(sent(each, began_ns + SETTLE_NS, until_ns)) - set(counters(path))
            assert not missing, f"camera {number} lacks {sorted(missing)}"


def test_a_cropped_camera_that_answers_at_once_is_recorded(tmp_path: Path) -> None:
    with (
        rtsp_camera(width=320, height=180) as simulated,
        serving(tmp_path, {0: camera(simulated.url, crop={"bottom": 20})}) as server,
    ):
        server.started("m1")
        recorded_for(server, 2.5)
        server.stop()
        (path,) = server.segments("m1", 0)
        assert len(counters(path)) > FPS
        (facts,) = server.get("/cameras")["cameras"]
        assert (facts["transcoded"], facts["height"]) == (True, 160)


def test_a_start_with_a_wrong_password_says_so_and_does_not_lock_the_camera(tmp_path: Path) -> None:
    with (
        rtsp_camera(
            width=320,
            height=180,
            user="club",
            password="right",
            auth="digest-sha256",
        ) as simulated,
        serving(tmp_path, {0: camera(simulated.url, user="club", password="wrong")}) as server,
    ):
        wait_for(
            lambda: "(401)" in str(server.get("/cameras")["cameras"][0]["last_error"]), "refused"
        )
        time.sleep(2)
        began = time.monotonic()
        started = server.record("m1")
        assert not started.get("success"), started
        assert time.monotonic() - began < 8, "a refusal is not waited out"
        wrong = [e for e in simulated.ledger("sign_in") if e["outcome"] == "wrong"]
        assert len(wrong) == 2
        (facts,) = server.get("/cameras")["cameras"]
        assert "correct user and password" in facts["last_error"]
        assert facts["retry_in_s"] > 10


@pytest.mark.parametrize("how", ["end", "reset"])
def test_a_closed_connection_costs_little_more_than_the_wait_for_a_keyframe(
    tmp_path: Path, how: str
) -> None:
    with (
        rtsp_camera(
            width=320, height=180, gop_s=0.5, close_after=3, close_how=how, on_signal=True
        ) as simulated,
        serving(tmp_path, {0: camera(simulated.url)}) as server,
    ):
        connected(server, 0)
        server.started("m1")
        recorded_for(server, 2)
        simulated.misbehave()
        wait_for(lambda: len(server.segments("m1", 0)) == 2, "going on in a new segment", 15)
        wait_for(lambda: not server.status()["degraded"], "well again", 10)
        stopped(server, simulated)
        before, after = server.manifest("m1")["segments"]
        assert 0 < (after["start_unix_ns"] - before["end_unix_ns"]) / 1e9 < 3


def test_a_camera_that_changes_size_is_recorded_in_files_of_one_size_each(tmp_path: Path) -> None:
    with (
        rtsp_camera(
            width=320, height=180, resize_after=0.1, resize_to="480x270", on_signal=True
        ) as simulated,
        serving(tmp_path, {0: camera(simulated.url)}) as server,
    ):
        connected(server, 0)
        began_ns = time.monotonic_ns()
        server.started("m1")
        recorded_for(server, 1.5)
        simulated.misbehave()
        wait_for(lambda: len(server.segments("m1", 0)) == 2, "going on in a new segment", 15)
        recorded_for(server, server.status()["duration"] + 1)
        until_ns = time.monotonic_ns() - SETTLE_NS
        stopped(server, simulated)
        paths = server.segments("m1", 0)
        assert [size(path) for path in paths] == [(320, 180), (480, 270)]
        recorded = [counter for path in paths for counter in counters(path)]
        assert len(set(recorded)) == len(recorded)
        delivered = sent(simulated, began_ns + SETTLE_NS, until_ns)
        assert len(delivered) > FPS
        missing = set(delivered) - set(recorded)
        assert not missing, f"the files lack {sorted(missing)}"


def test_idle_time_between_two_matches_counts_no_lost_frame(tmp_path: Path) -> None:
    with (
        rtsp_camera(width=320, height=180) as simulated,
        serving(tmp_path, {0: camera(simulated.url)}) as server,
    ):
        connected(server, 0)
        for match_id in ("m1", "m2"):
            server.started(match_id)
            recorded_for(server, 1.5)
            server.stop()
            time.sleep(1.5)
        assert server.get("/cameras")["cameras"][0]["dropped"] == {"source": 0, "queue": 0}
