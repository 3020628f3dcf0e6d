"""Recordings of earlier systems play and are processed, or say for each camera why not."""

from __future__ import annotations

import itertools
import json
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, expect

from support.dashboard import dashboard
from support.server import SMALL, Server, serving, wait_for
from support.watching import root

MATCH = "final_2025"
FPS, SECONDS = 25, 4.0


def film(path: Path, number: int) -> None:
    """What the system before recorded: an ordinary MP4 with B-frames, tables at its end."""
    source = f"testsrc2=size=320x180:rate={FPS}:duration={SECONDS},hue=h={40 * number}"
    subprocess.run(
        ["ffmpeg", "-v", "error", "-f", "lavfi", "-i", source, "-c:v", "libx264", "-bf", "1",
         "-pix_fmt", "yuv420p", "-g", "25", "-preset", "ultrafast", str(path)],
        check=True,
    )  # fmt: skip


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """Two files of camera 0, one of camera 1, a Matroska file of camera 2."""
    data = tmp_path_factory.mktemp("server")
    segments = data / "recordings" / MATCH / "segments"
    segments.mkdir(parents=True)
    for number, name in enumerate(
        [
            "cam0_20251103_141500_00.mp4",
            "cam0_20251103_141500_01.mp4",
            "cam1_20251103_141500_00.mp4",
            "cam2_20251103_141500_00.mkv",
        ]
    ):
        film(segments / name, number)
    with serving(data, {0: SMALL}) as running:
        yield running


def frames_in(source: str | Path) -> list[float]:
    """The times of what a player decodes; it must not complain."""
    found = subprocess.run(
        ["ffprobe", "-v", "warning", "-count_frames", "-select_streams", "v", "-show_entries",
         "frame=best_effort_timestamp_time", "-of", "json", str(source)],
        capture_output=True, check=True,
    )  # fmt: skip
    assert found.stderr == b""
    return [float(f["best_effort_timestamp_time"]) for f in json.loads(found.stdout)["frames"]]


@pytest.mark.parametrize("container", ["ts", "mp4"])
def test_they_play_over_hls_across_their_files(server: Server, container: str) -> None:
    url = f"{root(server)}/api/v1/recordings/{MATCH}/vod/cam0.m3u8?container={container}"
    times = frames_in(url)
    assert len(times) == 2 * SECONDS * FPS
    steps = [b - a for a, b in itertools.pairwise(times)]
    assert max(steps) == pytest.approx(1 / FPS, abs=0.002)
    assert min(steps) == pytest.approx(1 / FPS, abs=0.002)


def test_clips_are_cut_out_of_them_to_the_frame(server: Server, tmp_path: Path) -> None:
    answer = server.client.get(
        f"/recordings/{MATCH}/clip", params={"camera": "cam0", "start": 2.5, "end": 5.5}
    )
    assert answer.status_code == 200, answer.text
    path = tmp_path / "clip.mp4"
    path.write_bytes(answer.content)
    assert len(frames_in(path)) == 3 * FPS


@pytest.mark.parametrize(
    "what", ["vod/cam2.m3u8", "clip?camera=2&start=0&end=1", "vod/cam2/init/cam2.mp4"]
)
def test_what_cannot_be_read_is_refused_with_the_reason(server: Server, what: str) -> None:
    answer = server.client.get(f"/recordings/{MATCH}/{what}")
    assert answer.status_code == 409, answer.text
    assert answer.json()["code"] == "footage_unusable"
    assert "cam2_20251103_141500_00.mkv" in answer.json()["detail"]
    assert "-c copy" in answer.json()["detail"]


def test_the_dashboard_says_why_a_camera_cannot_be_played(
    chromium: Browser, server: Server
) -> None:
    with dashboard(chromium, root(server)) as board:
        page = board.go(f"/matches/{MATCH}")
        page.get_by_role("radio", name="Camera 2").check()
        told = page.get_by_role("alert").filter(has_text="Camera 2 cannot be played")
        expect(told).to_contain_text("cam2_20251103_141500_00.mkv")
        expect(told).not_to_contain_text("Conflict")


def processed(server: Server, *steps: str) -> dict[str, Any]:
    asked = server.client.post(f"/recordings/{MATCH}/process", json={"steps": steps})
    assert asked.status_code in {200, 202}, asked.text

    def over() -> dict[str, Any] | None:
        status = dict(server.get(f"/recordings/{MATCH}/processing-status"))
        return None if status["processing"] else status

    return dict(wait_for(over, "processed"))


def test_an_archive_is_not_complete_where_a_camera_got_no_file(server: Server) -> None:
    status = processed(server, "archive")
    assert not status["completed"]
    assert status["status"] == "failed"
    assert "No archive of cam2: cam2_20251103_141500_00.mkv" in status["message"]
    assert {name: status["archives"][name] for name in ("cam0", "cam1", "cam2")} == {
        "cam0": True,
        "cam1": True,
        "cam2": False,
    }
    folder = server.recordings / MATCH
    assert len(frames_in(folder / "cam0_archive.mp4")) == 2 * SECONDS * FPS
    assert len(frames_in(folder / "cam1_archive.mp4")) == SECONDS * FPS


def test_thumbnails_and_a_panorama_are_made_of_them(server: Server) -> None:
    status = processed(server, "sprites", "panorama")
    failed = [job for job in status["jobs"] if job["error"] and job["kind"] != "archive"]
    assert failed == []
    sprites = next(job for job in status["jobs"] if job["kind"] == "sprites")
    assert list(sprites["result"]["left_out"]) == ["cam2_20251103_141500_00.mkv"]
    folder = server.recordings / MATCH
    assert (folder / "cam0_sprites.vtt").exists()
    assert (folder / "cam1_sprites.vtt").exists()
    # Both cameras for four seconds, and camera 0 alone for as long.
    assert len(frames_in(folder / "panorama_archive.mp4")) == pytest.approx(
        2 * SECONDS * FPS, abs=2
    )
