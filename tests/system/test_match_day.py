"""A match from the first request to the download, on the real server with real pictures."""

from __future__ import annotations

import io
import subprocess
import zipfile
from pathlib import Path

import httpx

from support.footage import (
    assert_all_delivered,
    assert_complete,
    assert_kept,
    gaps,
    on_disk,
    rising,
    span,
)
from support.frames import probe
from support.rtsp import rtsp_camera
from support.server import SMALL, Server, serving, wait_for
from support.watching import root
from touchline.media.mp4 import scan as mp4scan


def recorded_for(server: Server, seconds: float) -> None:
    wait_for(lambda: server.status()["duration"] >= seconds, f"{seconds} s old", seconds + 60)


def test_two_simulated_cameras_and_an_rtsp_camera_make_gapless_files(tmp_path: Path) -> None:
    with (
        rtsp_camera(width=320, height=180) as rtsp,
        serving(tmp_path, {0: SMALL, 1: SMALL, 2: {"kind": "rtsp", "url": rtsp.url}}) as server,
    ):
        wait_for(lambda: server.get("/cameras")["cameras"][2]["state"] == "running", "connected")
        report = server.started("Final: Rot-Weiß".replace(":", ""))
        match_id = report["match_id"]
        assert report["cameras_started"] == [0, 1, 2]
        recorded_for(server, 6)
        stopped = server.stop()
        assert stopped["success"], stopped
        assert stopped["message"] == "Recording stopped successfully"
        for camera in (0, 1, 2):
            (path,) = server.segments(match_id, camera)
            name = path.name
            download = server.client.get(f"/recordings/{match_id}/segments/{name}")
            assert download.content == path.read_bytes()
            copy = tmp_path / f"download{camera}.mp4"
            copy.write_bytes(download.content)
            frames = rising(copy)
            if camera == 2:
                assert assert_all_delivered(server, match_id, 2, rtsp) == frames
            else:
                assert assert_complete(server, match_id, camera) == frames
            (stream,) = probe(copy)["streams"]
            assert stream["codec_name"] == "h264"
            assert abs(float(stream["duration"]) - span(frames) / 30) < 0.1
        rtsp_facts = server.get("/cameras")["cameras"][2]
        assert rtsp_facts["transcoded"] is False
        archive = server.client.get(f"/recordings/{match_id}/download")
        with zipfile.ZipFile(io.BytesIO(archive.content)) as members:
            assert members.testzip() is None
            assert len([n for n in members.namelist() if n.endswith(".mp4")]) == 3


def test_segments_are_cut_at_keyframes_and_nothing_is_lost_between_them(tmp_path: Path) -> None:
    with serving(tmp_path, segment_s=5) as server:
        server.started("m1")
        recorded_for(server, 11.5)
        assert server.stop()["success"]
        for camera in (0, 1):
            segments = server.segments("m1", camera)
            assert len(segments) == 3
            assert_complete(server, "m1", camera)
            scans = [mp4scan.scan(path, checksums=True) for path in segments]
            assert all(scan.finalized and not scan.faults for scan in scans)
            assert all(scan.fragments[0].keyframe for scan in scans)
        assert gaps(server, "m1") == []


def test_both_cameras_begin_in_the_same_frame(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        apart: list[int] = []
        while 0 not in apart and 1 not in apart:
            # A camera that is opened late by a busy machine cannot begin with the other.
            assert len(apart) < 6, f"never in the same frame: {apart}"
            match_id = f"m{len(apart)}"
            server.started(match_id)
            recorded_for(server, 1)
            stopped = server.stop()
            assert stopped["success"], stopped
            first, second = (assert_complete(server, match_id, camera)[0] for camera in (0, 1))
            apart.append(abs(first - second))


def test_a_file_can_be_watched_while_it_is_being_recorded(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.started("m1")
        recorded_for(server, 3)
        (path,) = server.segments("m1", 0)
        before, _ = on_disk(server, "m1", 0)
        decoded = subprocess.run(
            ["ffprobe", "-v", "error", "-count_frames", "-show_entries", "stream=nb_read_frames",
             "-of", "csv=p=0", str(path)],
            capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert int(decoded.stdout) >= before > 0
        assert server.stop()["success"]


def test_an_orderly_stop_of_the_server_finalises_the_recording(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        server.started("m1")
        recorded_for(server, 2)
        workers = server.worker_pids()
        before = {c: on_disk(server, "m1", c) for c in (0, 1)}
        assert server.terminate() == 0
        for camera in (0, 1):
            (path,) = server.segments("m1", camera)
            scan = mp4scan.scan(path, checksums=True)
            assert scan.finalized
            assert not scan.faults
            assert_kept(path, before[camera])
        assert server.manifest("m1")["state"] == "finished"
        assert len(workers) == 2


def test_the_time_left_is_told_once_the_cameras_were_measured(tmp_path: Path) -> None:
    metric = "touchline_recording_disk_minutes_left"
    with serving(tmp_path) as server:
        assert server.started("m1")["disk_minutes_left"] is None
        samples = samples_of(server)
        if server.status()["disk_minutes_left"] is None:  # not on a machine that stood still
            assert metric not in samples
        wait_for(lambda: server.status()["disk_minutes_left"] is not None, "measured")
        assert server.status()["disk_minutes_left"] > 1
        wait_for(lambda: metric in samples_of(server), "among the metrics")
        server.stop()


def samples_of(server: Server) -> set[str]:
    """The names of the metrics that have a value."""
    text = httpx.get(f"{root(server)}/metrics").text
    return {line.split()[0].split("{")[0] for line in text.splitlines() if not line.startswith("#")}
