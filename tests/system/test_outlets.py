"""What needs no browser and no playlist: stills, and RTSP for players and recorders."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

import pytest

from support.footage import assert_complete, assert_shown, span
from support.frames import probe, size
from support.server import serving, wait_for
from support.watching import mode, taken


def test_a_still_is_taken_of_cameras_at_rest_and_while_recording(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        wait_for(lambda: len(server.worker_pids()) == 2, "with both of its workers")
        still = server.client.get("/cameras/0/snapshot.jpg")
        assert still.status_code == 200, still.text
        assert still.headers["content-type"] == "image/jpeg"
        path = tmp_path / "still.jpg"
        path.write_bytes(still.content)
        (stream,) = probe(path)["streams"]
        assert stream["codec_name"] == "mjpeg"
        assert size(path) == (320, 180)
        assert mode(server)["mode"] == "idle"
        server.started("m1")
        for _ in range(5):
            assert server.client.get("/cameras/1/snapshot.jpg").status_code == 200
        assert server.stop()["success"]
        assert_complete(server, "m1", 1)
        assert server.client.get("/cameras/9/snapshot.jpg").status_code == 404
        assert not list((tmp_path / "run").glob("still-*"))


@pytest.mark.parametrize("transport", ["tcp", "udp"])
def test_rtsp_clients_are_viewers_whose_camera_is_shown_on_demand(
    tmp_path: Path, transport: str
) -> None:
    with serving(tmp_path, preview=json.dumps({"rtsp": True, "rtsp_port": 0})) as server:
        port = wait_for(lambda: server.get("/preview")["rtsp_port"], "served over RTSP")
        url = f"rtsp://127.0.0.1:{port}/cam1"
        film = taken(url, tmp_path / "film.mkv", "-rtsp_transport", transport, seconds=2)
        assert span(assert_shown(server, 1, film)) >= 50
        wait_for(lambda: mode(server)["mode"] == "idle", "idle after the last client")
        server.started("m1")
        refused = subprocess.run(
            ["ffprobe", "-v", "error", "-rtsp_transport", "tcp", url],
            capture_output=True, check=False, timeout=20,
        )  # fmt: skip
        assert refused.returncode != 0
        assert server.stop()["success"]


def test_rtsp_asks_for_its_password(tmp_path: Path) -> None:
    preview = {"rtsp": True, "rtsp_port": 0, "rtsp_password": "goal!"}
    with serving(tmp_path, preview=json.dumps(preview)) as server:
        port = wait_for(lambda: server.get("/preview")["rtsp_port"], "served over RTSP")
        command = ["ffprobe", "-v", "error", "-rtsp_transport", "tcp"]
        for user, admitted in (("", False), ("x:wrong@", False), ("x:goal!@", True)):
            url = f"rtsp://{user}127.0.0.1:{port}/cam0"
            done = subprocess.run([*command, url], capture_output=True, check=False, timeout=20)
            assert (done.returncode == 0) is admitted, (user, done.stderr)


def test_gstreamer_receives_the_rtsp_outlet(tmp_path: Path) -> None:
    with serving(tmp_path, preview=json.dumps({"rtsp": True, "rtsp_port": 0})) as server:
        port = wait_for(lambda: server.get("/preview")["rtsp_port"], "served over RTSP")
        film = tmp_path / "gst.mkv"
        command = (
            f"gst-launch-1.0 -q rtspsrc location=rtsp://127.0.0.1:{port}/cam0 ! rtph264depay !"
            f" h264parse ! identity eos-after=60 ! matroskamux ! filesink location={film}"
        )
        done = subprocess.run(command.split(), capture_output=True, timeout=40, check=False)
        assert done.returncode == 0, done.stderr.decode()
        assert span(assert_shown(server, 0, film)) >= 58
