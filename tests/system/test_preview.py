"""Live pictures on the real server: HLS, RTSP and stills, beside a recording and without one."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from datetime import UTC, datetime
from itertools import pairwise
from pathlib import Path
from typing import Any
from urllib.parse import urljoin

import httpx

from support.footage import assert_complete, assert_shown, gaps, left_out, missing, span
from support.frames import counters, probe, size
from support.rtsp import rtsp_camera
from support.server import SMALL, is_running, serving, wait_for
from support.watching import (
    hidden,
    live_pid,
    mode,
    names,
    playlist,
    root,
    shown,
    stopped_process,
    tag,
    tag_values,
    taken,
)
from touchline.media.mp4 import scan
from touchline.media.picture.testpicture import read_counter

PLAYLIST_TYPE = "application/vnd.apple.mpegurl"


# ------------------------------------------------------------------------------- HLS


def test_both_cameras_play_over_hls_and_are_gone_when_the_preview_stops(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        report = shown(server, transport="hls")
        assert report == {
            "success": True,
            "message": "Preview started for cameras: [0, 1]",
            "transport": "hls",
            "cameras_started": [0, 1],
            "cameras_failed": [],
        }
        assert mode(server)["mode"] == "preview"
        assert mode(server)["holder"] == "api-preview-all"
        status = server.get("/preview")
        assert status["preview_active"]
        assert status["cameras"]["camera_1"]["state"] == "running"
        for camera in (0, 1):
            answer = playlist(server, camera)
            assert answer.status_code == 200
            assert answer.headers["content-type"] == PLAYLIST_TYPE
            assert answer.headers["cache-control"] == "no-cache"
            film = taken(f"{root(server)}/hls/cam{camera}.m3u8", tmp_path / f"{camera}.mp4")
            assert span(assert_shown(server, camera, film)) >= 60
            (stream,) = probe(film)["streams"]
            assert stream["codec_name"] == "h264"
            assert size(film) == (320, 180)
        segment = names(playlist(server).text)[-1]
        media = httpx.get(urljoin(f"{root(server)}/hls/", segment))
        assert media.headers["content-type"] == "video/mp4"
        folder = Path("/dev/shm")
        mine = [p for p in folder.glob(f"touchline-{os.geteuid()}-*") if (p / segment).exists()]
        assert len(mine) == 1, "the segments are in memory"
        assert mine[0].stat().st_mode & 0o777 == 0o700

        assert hidden(server)["message"] == "Preview stopped for cameras: [0, 1]"
        assert playlist(server).status_code == 404
        assert httpx.get(urljoin(f"{root(server)}/hls/", segment)).status_code == 404
        assert list(mine[0].iterdir()) == []
        assert mode(server) == {
            "mode": "idle", "holder": None, "lock_time": None,
            "can_preview": True, "can_record": True,
        }  # fmt: skip
        server.terminate()
        assert not mine[0].exists()


def test_gstreamer_plays_the_same_playlist(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        shown(server, camera_id=0, transport="hls")
        # The player of GStreamer 1.22 never gets going on a playlist that begins shorter than this.
        wait_for(lambda: len(names(playlist(server).text)) >= 4, "four segments long")
        film, (width, height) = tmp_path / "film.gray", (320, 180)
        command = (
            f"gst-launch-1.0 -q uridecodebin3 uri={root(server)}/hls/cam0.m3u8 ! videoconvert !"
            f" video/x-raw,format=GRAY8 ! filesink buffer-mode=unbuffered location={film}"
        )
        size = width * height
        player = subprocess.Popen(command.split(), stderr=subprocess.PIPE)
        try:
            wait_for(lambda: film.exists() and film.stat().st_size >= 60 * size, "60 frames")
        finally:
            player.kill()
            _, errors = player.communicate()
        picture = film.read_bytes()
        found = [read_counter(picture[n * size : (n + 1) * size], width, height) for n in range(60)]
        shown_counters = [counter for counter in found if counter is not None]
        assert len(shown_counters) == 60, errors.decode()
        assert all(a < b for a, b in pairwise(shown_counters)), errors.decode()
        wait_for(lambda: left_out(server, 0) >= missing(shown_counters), "told as left out")


def test_a_low_latency_player_is_answered_as_soon_as_the_part_is_there(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        shown(server, camera_id=0, transport="hls")
        text = playlist(server).text
        assert "CAN-BLOCK-RELOAD=YES" in text
        for _ in range(6):
            hint = tag(text, "#EXT-X-PRELOAD-HINT").partition('URI="')[2].rstrip('"')
            _, number, part, _ = hint.replace(".", "_").rsplit("_", 3)
            # The hinted part can be asked for before it exists, and then it comes at once.
            media = httpx.get(f"{root(server)}/hls/{hint}", timeout=60)
            assert media.status_code == 200
            assert media.content[4:8] == b"moof"
            text = playlist(server, msn=int(number), part=int(part)).text
            assert f"_{number}.{part}.m4s" in text
        target = int(tag(text, "#EXT-X-TARGETDURATION"))
        durations = [
            float(line.partition(":")[2].rstrip(","))
            for line in text.splitlines()
            if line.startswith("#EXTINF")
        ]
        assert durations
        assert max(durations) < target + 0.5
        # A player that has lost its way is not kept waiting: who waits in vain gets no playlist.
        assert playlist(server, msn=int(number) + 500).status_code == 200


def test_sequence_numbers_go_on_over_a_restart_of_the_preview(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        shown(server, camera_id=0, transport="hls")
        before = int(tag(playlist(server).text, "#EXT-X-MEDIA-SEQUENCE"))
        answer = server.client.post("/preview/restart", json={"camera_id": 0, "transport": "hls"})
        assert answer.json()["success"], answer.text
        assert answer.json()["message"] == (
            "Restart: Preview stopped for cameras: [0] -> Preview started for cameras: [0]"
        )
        after = playlist(server).text
        assert int(tag(after, "#EXT-X-MEDIA-SEQUENCE")) > before
        assert tag(after, "#EXT-X-DISCONTINUITY-SEQUENCE") == "1"


def test_nothing_but_playlists_and_their_files_is_served_below_hls(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        shown(server, camera_id=0, transport="hls")
        for name in ("cam1.m3u8", "cam7.m3u8", "nothing", "cam0_0_0.m4s", "..%2ftouchline.lock"):
            assert httpx.get(f"{root(server)}/hls/{name}").status_code == 404, name


# --------------------------------------------------------------------------- who may


def test_camera_0_is_camera_0_and_the_lease_goes_with_the_last_camera(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        assert shown(server, camera_id=0)["cameras_started"] == [0]
        assert mode(server)["holder"] == "api-preview-0"
        cameras = server.get("/preview")["cameras"]
        assert cameras["camera_0"]["active"]
        assert not cameras["camera_1"]["active"]
        assert shown(server, camera_id=1, transport="webrtc")["cameras_started"] == [1]
        assert server.get("/preview")["cameras"]["camera_1"]["transport"] == "webrtc"
        assert shown(server, camera_id=1, transport="webrtc")["cameras_started"] == [1]
        assert hidden(server, camera_id=0)["cameras_stopped"] == [0]
        assert mode(server)["mode"] == "preview"
        assert hidden(server)["cameras_stopped"] == [0, 1], "once shown, it can be stopped again"
        assert mode(server)["mode"] == "idle"
        assert server.get("/preview")["cameras"]["camera_0"]["state"] == "idle"


def test_cameras_that_do_not_exist_or_do_not_answer_are_listed_as_failed(tmp_path: Path) -> None:
    away = {"kind": "rtsp", "url": "rtsp://127.0.0.1:9/none"}
    cameras: dict[int, dict[str, Any]] = {0: SMALL, 1: away}
    with serving(tmp_path, cameras, start_timeout_s=3) as server:
        answer = server.client.post("/preview", json={"camera_id": 5})
        assert answer.json() == {
            "success": False,
            "message": "Failed to start any preview cameras",
            "failed_cameras": [5],
            "errors": {"camera_5": "the camera does not exist"},
        }
        assert mode(server)["mode"] == "idle"
        assert hidden(server) == {
            "success": False,
            "message": "No preview cameras were stopped",
            "failed_cameras": [0, 1],
        }
        report = shown(server, transport="nonsense")
        assert (report["cameras_started"], report["cameras_failed"]) == ([0], [1])
        assert report["transport"] == "hls"


def test_a_recording_sends_viewers_away_and_refuses_new_ones(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        shown(server, transport="hls")
        report = server.started("m1")
        assert report["cameras_started"] == [0, 1]
        assert playlist(server).status_code == 404
        assert not server.get("/preview")["preview_active"]
        state = mode(server)
        assert (state["mode"], state["can_preview"]) == ("recording", False)
        answer = server.client.post("/preview", json={})
        assert answer.status_code == 400
        text = "Recording is active. Stop recording before starting preview."
        assert answer.json()["detail"] == text
        answer = server.client.post("/preview/restart", json={})
        assert answer.status_code == 400
        text = "Recording is active. Stop recording before restarting preview."
        assert answer.json()["detail"] == text
        wait_for(lambda: server.status()["duration"] > 2.5, "recorded for a while")
        assert server.stop()["success"]
        for camera in (0, 1):
            assert_complete(server, "m1", camera)
        assert mode(server)["mode"] == "idle"


def test_viewers_of_a_recording_cost_it_no_frame(tmp_path: Path) -> None:
    with serving(tmp_path, preview_while_recording=True) as server:
        server.started("m1")
        assert mode(server)["can_preview"]
        for _ in range(3):
            shown(server, transport="hls")
            assert mode(server)["mode"] == "recording"
            taken(f"{root(server)}/hls/cam0.m3u8", tmp_path / "viewer.mp4", seconds=1)
            hidden(server)
        shown(server, transport="hls")
        # Even a live process that hangs: its feed leaks, and the recorder does not notice.
        with stopped_process(live_pid(server)):
            at = server.status()["duration"]
            wait_for(lambda: server.status()["duration"] > at + 2, "recorded with a hung viewer")
        stopped = server.stop()
        assert stopped["success"], stopped
        for camera in (0, 1):
            assert len(assert_complete(server, "m1", camera)) > 60
        assert gaps(server, "m1") == []


def test_watching_a_recording_is_switched_while_it_runs(tmp_path: Path) -> None:
    setting = "/settings/preview-while-recording"
    with serving(tmp_path) as server:
        server.started("m1")
        assert server.client.post("/preview", json={}).status_code == 400
        assert server.client.put(setting, json={"enabled": True}).json() == {"enabled": True}
        assert mode(server)["can_preview"]
        shown(server, transport="hls")
        assert server.client.put(setting, json={"enabled": False}).status_code == 200
        wait_for(lambda: not server.get("/preview")["preview_active"], "without viewers")
        assert server.status()["recording"]
        server.client.put(setting, json={"enabled": True})
        shown(server, transport="hls")
        assert server.stop()["success"]
        wait_for(lambda: mode(server)["mode"] == "preview", "the viewers' again")
        assert playlist(server).status_code == 200
        hidden(server)
        assert mode(server)["mode"] == "idle"
        for camera in (0, 1):
            assert_complete(server, "m1", camera)


def test_a_recording_that_begins_under_viewers_begins_at_once(tmp_path: Path) -> None:
    with serving(tmp_path, preview_while_recording=True) as server:
        shown(server, transport="hls")
        asked_ns = time.time_ns()
        server.started("m1")
        film = taken(f"{root(server)}/hls/cam0.m3u8", tmp_path / "viewer.mp4", seconds=2)
        assert_shown(server, 0, film)
        assert mode(server)["mode"] == "recording"
        stopped = server.stop()
        assert stopped["success"], stopped
        for camera in (0, 1):
            (path,) = server.segments("m1", camera)
            assert_complete(server, "m1", camera)
            begins_ns = scan.scan(path, checksums=True).start_unix_ns
            assert begins_ns is not None
            # With the keyframe that was there already, not with the next one.
            assert asked_ns - 2_000_000_000 < begins_ns < asked_ns + 100_000_000


# ------------------------------------------------------------- processes that break


def test_the_preview_survives_the_death_of_the_live_process(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        shown(server, transport="hls")
        pid = live_pid(server)
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: not is_running(pid), "dead")
        wait_for(lambda: playlist(server).status_code == 200, "shown again")
        assert live_pid(server) != pid
        after = taken(f"{root(server)}/hls/cam0.m3u8", tmp_path / "after.mp4", seconds=1)
        assert_shown(server, 0, after)


def test_the_preview_survives_the_death_of_a_worker(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        shown(server, transport="hls")
        wait_for(lambda: len(names(playlist(server).text)) >= 1, "a segment long")
        os.kill(server.worker_pids()[0], signal.SIGKILL)
        wait_for(
            lambda: "#EXT-X-DISCONTINUITY\n" in playlist(server).text, "going on after a break"
        )
        newest = names(playlist(server).text)[-1]
        wait_for(lambda: names(playlist(server).text)[-1] != newest, "growing")


def test_the_live_process_ends_what_a_killed_server_showed(tmp_path: Path) -> None:
    with serving(tmp_path) as server:
        shown(server, transport="hls")
        pid = live_pid(server)
        server.kill()
        server.start()
        assert mode(server)["mode"] == "idle"
        assert playlist(server).status_code == 404
        shown(server, transport="hls")
        assert live_pid(server) == pid, "the warm process is used again"
        assert playlist(server).status_code == 200
        wait_for(lambda: server.get("/cameras")["cameras"][0]["state"] == "running", "running")
        hidden(server)
        # Nobody watches and nobody records: the encoders stop.
        wait_for(lambda: server.get("/cameras")["cameras"][0]["state"] == "idle", "at rest")


def test_a_camera_that_is_copied_is_shown_as_it_comes(tmp_path: Path) -> None:
    with (
        rtsp_camera(width=320, height=180, gop_s=2) as camera,
        serving(tmp_path, {0: {"kind": "rtsp", "url": camera.url}}) as server,
    ):
        wait_for(lambda: server.get("/cameras")["cameras"][0]["state"] == "running", "connected")
        asked_at = datetime.now(UTC)
        shown(server, transport="hls")
        dates = tag_values(playlist(server).text, "#EXT-X-PROGRAM-DATE-TIME")
        began_at = datetime.fromisoformat(dates[0])
        assert began_at <= asked_at, "the kept GOP is shown, not the next one"
        wait_for(lambda: len(names(playlist(server).text)) >= 3, "three segments long", 60)
        assert tag(playlist(server).text, "#EXT-X-TARGETDURATION") == "2"
        film = taken(f"{root(server)}/hls/cam0.m3u8", tmp_path / "film.mp4", seconds=3)
        assert span(counters(film)) >= 60
        camera.restart()
        wait_for(lambda: "#EXT-X-DISCONTINUITY\n" in playlist(server).text, "going on", 60)


def test_live_hls_files_lie_where_the_settings_say(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    for folder in (first, second):
        folder.mkdir()
        (folder / "index.html").write_text("somebody's own")
    with serving(tmp_path, {0: SMALL}, preview={"hls_dir": str(first)}) as server:
        assert shown(server, transport="hls")["success"]
        files = names(playlist(server).text)
        assert files
        assert list(first.glob("touchline-*/*_init.mp4"))
        # A server that died leaves a live process whose files lie there.
        server.kill()
    with serving(tmp_path, {0: SMALL}, preview={"hls_dir": str(second)}) as server:
        assert shown(server, transport="hls")["success"]
        files = names(playlist(server).text)
        assert server.client.get(f"{root(server)}/hls/{files[0]}").status_code == 200
        assert list(second.glob("touchline-*/*_init.mp4"))

    def left() -> list[str]:
        return [path.name for folder in (first, second) for path in folder.iterdir()]

    wait_for(lambda: left() == ["index.html"] * 2, "cleared")
