"""Panoramas on the real server: two cameras that look at one painted world."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any

import av
import pytest

from support.browser import Watching, browser
from support.matches import looping_films
from support.scenes import TwoCameras, two_cameras
from support.server import Server, serving, wait_for
from support.watching import mode, root
from touchline.media.mp4 import scan as mp4scan

SIZE = (640, 360)
PAIRS = 10


@pytest.fixture(scope="module")
def cameras() -> TwoCameras:
    return two_cameras(*SIZE)


@pytest.fixture(scope="module")
def films() -> dict[int, Any]:
    """Two cameras that play the same five seconds over and over."""
    return {n: {"kind": "file", "path": str(path)} for n, path in enumerate(looping_films())}


@pytest.fixture(scope="module")
def server(films: dict[int, Any], tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    folder = tmp_path_factory.mktemp("server")
    with serving(folder, cameras=films) as running:
        yield running


def post(server: Server, path: str, status: int = 200, **body: Any) -> dict[str, Any]:
    answer = server.client.post(path, json=body)
    assert answer.status_code == status, f"{answer.text}\n{server.output()}"
    return dict(answer.json())


def calibrated(server: Server) -> dict[str, Any]:
    """The status once there is a calibration."""
    state: dict[str, Any] = server.get("/panorama/calibration")
    if state["calibrated"]:
        return state
    post(server, "/panorama/calibration/start")
    for number in range(PAIRS):
        captured = post(server, "/panorama/calibration/capture")
        assert captured["frames_captured"] == number + 1
        assert captured["apart_ms"] <= 17
    assert captured["ready_to_calculate"]
    done = post(server, "/panorama/calibration/complete")
    assert done["message"] == "Calibration completed successfully"
    return dict(server.get("/panorama/calibration"))


def jobs_over(server: Server, match_id: str) -> list[dict[str, Any]]:
    def over() -> list[dict[str, Any]] | None:
        jobs = server.get("/processing/jobs", match_id=match_id)["jobs"]
        return jobs if jobs and all(j["ended_at"] for j in jobs) else None

    found = wait_for(over, "over", deadline_s=120)
    assert isinstance(found, list)
    return found


def test_before_a_calibration_everything_says_so(server: Server) -> None:
    status = server.get("/panorama/status")
    assert (status["calibrated"], status["preview_active"]) == (False, False)
    refused = post(server, "/panorama/preview/start", 503)
    assert refused["detail"] == "Panorama not calibrated"
    assert (
        post(server, "/panorama/process", 400, match_id="m")["detail"] == "Panorama not calibrated"
    )
    capture = post(server, "/panorama/calibration/capture", 400)
    assert capture["detail"] == "Calibration not active. Call start_calibration first."
    assert (
        post(server, "/panorama/calibration/complete", 400)["detail"] == "Calibration not started"
    )
    status = server.get("/panorama/process/nobody/status")
    assert status["message"] == "No processing found for match nobody"


def test_the_cameras_are_calibrated_from_what_they_see(server: Server, cameras: TwoCameras) -> None:
    post(server, "/panorama/calibration/start")
    post(server, "/panorama/calibration/capture")
    too_few = post(server, "/panorama/calibration/complete", 400)
    assert too_few["detail"] == "Need at least 10 frames, got 1"
    post(server, "/panorama/calibration/reset")
    state = calibrated(server)
    assert state["calibrated"]
    assert state["quality_score"] > 0.7
    status = server.get("/panorama/status")
    assert status["quality_score"] == state["quality_score"]
    assert status["calibration_date"] == status["calibration_info"]["calibration_date"]
    (entry,) = server.get("/panorama/calibrations")["calibrations"]
    details = server.get(f"/panorama/calibrations/{entry['version']}")
    focal_px = details["pair"]["lens0"]["focal_px"]
    assert focal_px == pytest.approx(cameras.pair.lens0.focal_px, rel=0.05)
    assert len(details["points"]) > 20
    assert mode(server)["mode"] == "idle"


def test_the_panorama_is_shown_live(server: Server, tmp_path: Path) -> None:
    calibrated(server)
    answer = server.client.put("/panorama/config", json={"preview_fps_target": 10})
    assert answer.status_code == 200
    started = post(server, "/panorama/preview/start", transport="hls")
    assert started["hls_url"] == "/hls/panorama.m3u8"
    assert mode(server)["holder"] == "api-panorama-preview"
    again = post(server, "/panorama/preview/start", 400)
    assert again["detail"] == "Panorama preview already active"
    film = tmp_path / "live.mp4"
    subprocess.run(
        [
            *("ffmpeg", "-v", "error", "-t", "2", "-i", f"{root(server)}/hls/panorama.m3u8"),
            *("-c", "copy", str(film)),
        ],
        check=True,
        timeout=60,
    )
    with av.open(str(film)) as file:
        frames = [frame.to_ndarray(format="gray") for frame in file.decode(video=0)]
    assert f"{frames[0].shape[1]}x{frames[0].shape[0]}" == started["resolution"]
    assert len(frames) >= 10
    assert frames[0].std() > 15  # a picture of something
    stats = server.get("/panorama/stats")
    assert stats["frames_stitched"] > 10
    assert stats["avg_sync_drift_ms"] < 17
    post(server, "/panorama/preview/stop")
    assert mode(server)["mode"] == "idle"
    assert post(server, "/panorama/preview/stop", 400)["detail"] == "Panorama preview not active"


def test_a_camera_whose_worker_died_comes_back_into_the_panorama(server: Server) -> None:
    calibrated(server)
    post(server, "/panorama/preview/start", transport="hls")
    pids = server.worker_pids()
    os.kill(pids[1], signal.SIGKILL)
    wait_for(lambda: server.worker_pids().get(1) not in {None, pids[1]}, "replaced")
    before = server.get("/panorama/stats")["frames_stitched"]
    wait_for(lambda: server.get("/panorama/stats")["frames_stitched"] > before + 30, "stitching")
    post(server, "/panorama/preview/stop")


def _has_seen(watching: Watching, frames: int) -> bool:
    return len(watching.frames("panorama")) >= frames


def test_two_browsers_watch_the_panorama_over_webrtc(server: Server) -> None:
    calibrated(server)
    with browser() as chromium:
        watching = [Watching(chromium, root(server), "panorama") for _ in range(2)]
        for each in watching:
            wait_for(partial(_has_seen, each, 20), "watching", 30)
            (ready,) = each.messages("webrtc_session_ready")
            assert ready["data"]["stream_kind"] == "panorama"
            assert "camera_id" not in ready["data"]
        assert server.get("/panorama/status")["transport"] == "webrtc"
        watching[0].stop()
        before = len(watching[1].frames("panorama"))
        wait_for(lambda: len(watching[1].frames("panorama")) > before + 10, "watching on")
        watching[1].stop()
        wait_for(lambda: not server.get("/panorama/status")["preview_active"], "over")
    wait_for(lambda: mode(server)["mode"] == "idle", "idle")


def test_a_recording_sends_the_live_panorama_away_and_is_processed_afterwards(
    server: Server,
) -> None:
    calibrated(server)
    post(server, "/panorama/preview/start", transport="webrtc")
    server.started("derby", process_after_recording=True)
    assert not server.get("/panorama/status")["preview_active"]
    refused = post(server, "/panorama/preview/start", 409)
    assert refused["detail"] == "Cannot start panorama: recording is active"
    running = post(server, "/recordings/derby/process", 409, steps=["archive"])
    assert "is in progress" in running["detail"]
    time.sleep(2.5)
    assert server.stop()["success"]
    jobs = jobs_over(server, "derby")
    assert {j["kind"]: j["state"] for j in jobs} == {
        "archive": "done",
        "sprites": "done",
        "panorama": "done",
        "follow": "done",
    }
    folder = server.recordings / "derby"
    scan = mp4scan.scan(folder / "panorama_archive.mp4", checksums=True)
    assert scan.finalized
    assert scan.faults == ()
    panorama = next(j for j in jobs if j["kind"] == "panorama")
    assert any("frames of both cameras" in line for line in panorama["log"])
    made = server.get("/recordings/derby/made")
    assert made["made"]["panorama"]["calibration_version"] == 1
    assert panorama["result"]["frames"] == scan.frames > 60
    assert panorama["result"]["calibration_version"] == 1
    assert panorama["result"]["worst_pair_error_ms"] <= 17.5
    status = server.get("/recordings/derby/processing-status")
    assert (status["processing"], status["completed"], status["status"]) == (
        False,
        True,
        "complete",
    )
    assert status["archives"] == {"cam0": True, "cam1": True, "panorama": True, "follow": True}
    state = server.get("/panorama/process/derby/status")
    assert (state["completed"], state["progress"]) == (True, 100)


def test_a_job_that_was_killed_with_the_server_goes_on_with_the_next_one(server: Server) -> None:
    calibrated(server)
    server.started("cup")
    time.sleep(6)
    assert server.stop()["success"]
    started = post(server, "/panorama/process", match_id="cup")
    assert started["cam0_segments"] == started["cam1_segments"] == 1
    wait_for(
        lambda: server.get(f"/processing/jobs/{started['job_id']}")["progress"] > 0,
        "begun",
        deadline_s=60,
    )
    server.kill()
    server.start()
    (job,) = jobs_over(server, "cup")
    assert (job["state"], job["kind"]) == ("done", "panorama")
    scan = mp4scan.scan(server.recordings / "cup" / "panorama_archive.mp4", checksums=True)
    assert scan.frames == job["result"]["frames"]


def test_an_impossible_job_fails_says_why_and_can_be_repeated(
    server: Server,
) -> None:
    calibrated(server)
    folder = server.recordings / "empty" / "segments"
    folder.mkdir(parents=True)
    (folder / "cam0_20260211_220241_00.mp4").write_bytes(b"nothing")
    (job,) = post(server, "/recordings/empty/process", steps=["archive"])["jobs"]
    (failed,) = jobs_over(server, "empty")
    assert failed["state"] == "failed"
    assert failed["error"]["code"] == "no_footage"
    status = server.get("/recordings/empty/processing-status")
    assert status["status"] == "failed"
    assert "cannot be used" in status["message"]
    again = post(server, f"/processing/jobs/{job['job_id']}/retry")
    assert again["state"] == "waiting"
    jobs_over(server, "empty")
    post(server, "/recordings/empty/process", steps=["sprites"])
    assert server.client.delete(f"/processing/jobs/{job['job_id']}").status_code == 200
    assert server.client.delete("/recordings/empty").status_code == 200
    assert server.get("/processing/jobs", match_id="empty")["jobs"] == []
    assert server.client.get(f"/processing/jobs/{job['job_id']}").status_code == 404


def test_a_recorded_match_calibrates_as_well_and_earlier_calibrations_stay(
    server: Server,
) -> None:
    calibrated(server)
    if not (server.recordings / "derby").exists():
        server.started("derby")
        time.sleep(2)
        server.stop()
    done = post(server, "/panorama/calibration/from-match", match_id="derby", instants=3)
    assert done["version"] == 2
    listed = server.get("/panorama/calibrations")
    assert listed["active_version"] == 2
    assert [c["source"] for c in listed["calibrations"]] == ["derby", "cameras"]
    post(server, "/panorama/calibrations/1/activate")
    server.terminate()
    server.start()
    assert server.get("/panorama/calibration")["version"] == 1
    assert server.client.delete("/panorama/calibration").status_code == 200
    assert not server.get("/panorama/status")["calibrated"]
    post(server, "/panorama/calibrations/1/activate")
