"""The real server and its workers with a wall clock that is wrong, and a power cut in between."""

from __future__ import annotations

import json
import os
import signal
import sys
import time
from itertools import pairwise
from pathlib import Path

import pytest

from support.server import SMALL, Server, wait_for

SHIFTED = Path(__file__).parents[1] / "support" / "shifted.py"
pytestmark = pytest.mark.slow

YEARS_50_S = 50 * 365.25 * 86_400


def set_clock(folder: Path, shift_s: float, boot_id: str) -> Path:
    path = folder / "clock.json"
    new = path.with_suffix(".new")
    new.write_text(json.dumps({"shift_s": shift_s, "boot_id": boot_id}))
    new.replace(path)
    return path


def grows(server: Server, frames: int) -> bool:
    cameras = server.status()["cameras"]
    return bool(cameras) and all(each["frames"] >= frames for each in cameras.values())


@pytest.mark.parametrize(
    "shift_s",
    [-3600.0, 35 - time.time(), YEARS_50_S],
    ids=["hour back", "1970", "50 years on"],
)
@pytest.mark.parametrize("wrong_first", [True, False], ids=["then right", "then wrong"])
def test_a_power_cut_and_a_wrong_clock_cost_no_match(
    tmp_path: Path,
    shift_s: float,
    wrong_first: bool,  # noqa: FBT001
) -> None:
    first, second = (shift_s, 0.0) if wrong_first else (0.0, shift_s)
    facts = set_clock(tmp_path, first, "boot-1")
    server = Server(tmp_path, {0: SMALL}, protection_s=0)
    server.program = [sys.executable, str(SHIFTED), str(facts)]
    try:
        server.start()
        server.started("m1")
        wait_for(lambda: grows(server, 30), "a second of footage")
        marked = server.client.post("/recordings/m1/markers", json={"kind": "goal"}).json()
        workers = server.worker_pids()
        server.kill()
        for pid in workers.values():
            os.kill(pid, signal.SIGKILL)
        set_clock(tmp_path, second, "boot-2")
        server.start()
        assert server.status()["match_id"] == "m1"
        wait_for(lambda: grows(server, 60), "footage after the cut")
        status = server.status()
        assert 1 < status["duration"] < 300
        assert 0 < status["cameras"]["camera_0"]["uptime"] < 300
        report = server.stop()
        assert report["success"], report
        assert {gap["camera"] for gap in report["gaps"]} == {"cam0"}
        assert all(gap["seconds"] > 0 for gap in report["gaps"])
        faults = server.client.post("/recordings/m1/verify").json()["faults"]
        assert faults == []
        segments = server.manifest("m1")["segments"]
        assert len(segments) >= 2
        assert [each["index"] for each in segments] == list(range(len(segments)))
        assert all(a["end_unix_ns"] <= b["start_unix_ns"] for a, b in pairwise(segments))
        (marker,) = server.get("/recordings/m1/markers")["markers"]
        assert marker["at"] == marked["at"]
        assert 0 < marker["at"] < 300
    finally:
        server.close()
