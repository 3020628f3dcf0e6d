"""Clips, playback and markers of matches that the real server recorded."""

from __future__ import annotations

import subprocess
import time
from collections.abc import Iterator
from datetime import UTC
from itertools import pairwise
from pathlib import Path
from typing import Any

import av
import pytest

from support.browser import HlsPage, browser
from support.frames import counters, probe
from support.server import SMALL, Server, serving, wait_for
from support.watching import root
from touchline.media.mp4 import scan

MATCH = "derby"


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """A match of eleven seconds in segments of five."""
    folder = tmp_path_factory.mktemp("server")
    cameras = {0: {**SMALL, "width": 640, "height": 360}, 1: SMALL}
    with serving(folder, cameras=cameras, segment_s=5) as running:
        running.started(MATCH)
        marker = running.client.post(
            f"/recordings/{MATCH}/markers", json={"kind": "kickoff", "seconds_ago": 0.2}
        )
        assert marker.status_code == 200, marker.text
        time.sleep(11)
        assert running.stop()["success"]
        yield running


def clip(server: Server, path: Path, status: int = 200, **params: Any) -> Any:
    began_s = time.perf_counter()
    with server.client.stream("GET", f"/recordings/{MATCH}/clip", params=params) as answer:
        first_s: float | None = None
        with path.open("wb") as file:
            for chunk in answer.iter_bytes():
                first_s = first_s or time.perf_counter() - began_s
                file.write(chunk)
    assert answer.status_code == status, path.read_text()
    assert path.stat().st_size == int(answer.headers["content-length"])
    return answer


def start_ns(server: Server) -> int:
    return int(server.manifest(MATCH)["clock"]["start_unix_ns"])


def captured(server: Server, camera: int) -> list[int]:
    """When each frame of a camera was captured."""
    found: list[int] = []
    for path in server.segments(MATCH, camera):
        index = scan.index(path)
        begin = index.scan.start_unix_ns or 0
        found += [begin + round(e.pts * 1e9 / 90_000) for _, e in index.table.entries()]
    return sorted(found)


@pytest.mark.parametrize(
    ("camera", "start", "end"),
    [
        ("0", 1.0, 3.0),
        ("cam0", 2.517, 3.891),
        ("1", 0.4, 0.7),  # within one GOP
        ("0", 3.21, 7.77),  # over two segments
        ("0", 0.5, 60.0),  # to the end of the match and beyond
    ],
)
def test_a_clip_has_exactly_its_frames(
    server: Server, tmp_path: Path, camera: str, start: float, end: float
) -> None:
    path = tmp_path / "clip.mp4"
    clip(server, path, camera=camera, start=f"{start:.3f}", end=f"{end:.3f}")
    begin = start_ns(server)
    times = captured(server, int(camera[-1]))
    chosen = [begin + start * 1e9 <= t < begin + end * 1e9 for t in times]
    wanted = [t for t, is_in in zip(times, chosen, strict=True) if is_in]
    recorded = [n for file in server.segments(MATCH, int(camera[-1])) for n in counters(file)]
    assert counters(path) == [n for n, is_in in zip(recorded, chosen, strict=True) if is_in]
    with av.open(str(path)) as file:
        shown = [float(frame.time or 0.0) for frame in file.decode(video=0)]
    expected = [(t - wanted[0]) / 1e9 for t in wanted]
    assert max(abs(a - b) for a, b in zip(shown, expected, strict=True)) < 0.001
    probed = probe(path)
    assert abs(float(probed["streams"][0]["duration"]) - (expected[-1] + 1 / 30)) < 0.05


def test_a_clip_by_the_clock_is_the_same(server: Server, tmp_path: Path) -> None:
    from datetime import datetime, timedelta

    begin = datetime.fromtimestamp(start_ns(server) / 1e9, tz=UTC)
    at = [(begin + timedelta(seconds=s)).isoformat() for s in (2.0, 4.0)]
    clip(server, tmp_path / "a.mp4", camera="0", start=at[0], end=at[1])
    clip(server, tmp_path / "b.mp4", camera="0", start="2.0", end="4.0")
    assert counters(tmp_path / "a.mp4") == counters(tmp_path / "b.mp4")


def test_most_of_a_clip_is_copied_as_it_was_recorded(server: Server, tmp_path: Path) -> None:
    path = tmp_path / "clip.mp4"
    clip(server, path, camera="0", start="2.5", end="4.9")
    recorded = b"".join(p.read_bytes() for p in server.segments(MATCH, 0))
    with av.open(str(path)) as file:
        stream = file.streams.video[0]
        packets = [bytes(p) for p in file.demux(stream) if p.size]
    same = [data in recorded for data in packets]
    first = same.index(True)
    assert first <= 31  # a second of a GOP at the most
    assert all(same[first:])


@pytest.mark.parametrize(
    ("params", "status", "code"),
    [
        ({"camera": "0", "start": "3", "end": "3"}, 422, "clip_empty"),
        ({"camera": "0", "start": "3", "end": "2"}, 422, "clip_empty"),
        ({"camera": "0", "start": "0", "end": "99999"}, 422, "clip_too_long"),
        ({"camera": "0", "start": "500", "end": "501"}, 404, "no_footage_then"),
        ({"camera": "7", "start": "0", "end": "1"}, 404, "no_such_footage"),
        ({"camera": "../x", "start": "0", "end": "1"}, 404, "camera_unknown"),
        ({"camera": "panorama", "start": "0", "end": "1"}, 404, "no_such_footage"),
        ({"camera": "0", "start": "soon", "end": "1"}, 422, "clip_time"),
    ],
)
def test_what_cannot_be_cut_is_said(
    server: Server, params: dict[str, str], status: int, code: str
) -> None:
    answer = server.client.get(f"/recordings/{MATCH}/clip", params=params)
    assert answer.status_code == status, answer.text
    body = answer.json()
    assert (body.get("code") or body["detail"][0]["type"]) == code


def test_a_whole_match_plays_from_one_playlist(server: Server, tmp_path: Path) -> None:
    for camera in (0, 1):
        url = f"{root(server)}/api/v1/recordings/{MATCH}/vod/cam{camera}.m3u8"
        text = server.client.get(url).text
        assert "#EXT-X-PLAYLIST-TYPE:VOD" in text
        assert text.rstrip().endswith("#EXT-X-ENDLIST")
        # One timeline over all files, whose frames follow on.
        assert "#EXT-X-DISCONTINUITY" not in text
        assert "#EXT-X-BYTERANGE" not in text
        film = tmp_path / f"{camera}.ts"
        subprocess.run(
            ["ffmpeg", "-v", "error", "-i", url, "-c", "copy", "-f", "mpegts", str(film)],
            check=True,
            timeout=60,
        )
        seen = counters(film)
        recorded = [n for path in server.segments(MATCH, camera) for n in counters(path)]
        assert seen == recorded


def test_a_browser_plays_a_whole_match(server: Server) -> None:
    playlist = f"/api/v1/recordings/{MATCH}/vod/cam0.m3u8"
    with browser() as chromium:
        page = HlsPage(chromium, root(server), "cam0", low_latency=False, playlist=playlist)
        seen = [frame["counter"] for frame in page.shows(45)]
        page.stop()
    recorded = [n for path in server.segments(MATCH, 0) for n in counters(path)]
    assert set(seen) <= set(recorded)
    assert seen == sorted(seen)


def test_a_running_match_plays_as_far_as_it_is(server: Server) -> None:
    server.started("live")
    url = "/recordings/live/vod/cam0.m3u8"
    texts: list[str] = []

    def listed() -> bool:
        answer = server.client.get(url)
        if answer.status_code == 200:  # 404 until the first fragment is there
            texts.append(answer.text)
        return bool(texts) and texts[-1].count("#EXTINF") >= 2

    wait_for(listed, "two segments in the playlist", 40)
    early = server.client.get("/recordings/live/clip", params={"camera": 0, "start": 0, "end": 1})
    media = [line for line in texts[-1].splitlines() if line.endswith(".ts")]
    before = [server.client.get(root(server) + path).content for path in media]
    server.stop()
    # What was said once is only added to, and a segment never changes (RFC 8216, 6.2.1).
    assert all(later.startswith(text) for text, later in pairwise(texts))
    finished = server.client.get(url).text
    assert "#EXT-X-PLAYLIST-TYPE:EVENT" in texts[-1]
    assert "#EXT-X-ENDLIST" not in texts[-1]
    assert finished.startswith(texts[-1])
    assert finished.endswith("#EXT-X-ENDLIST\n")
    assert [server.client.get(root(server) + path).content for path in media] == before
    assert early.status_code == 200


def test_a_reel_shows_what_was_marked_and_nothing_else(server: Server) -> None:
    base = f"/recordings/{MATCH}"
    for at in (2.0, 2.5, 7.0):
        goal = {"kind": "goal", "at": at}
        assert server.client.post(f"{base}/markers", json=goal).status_code == 200
    reel = {"camera": "cam0", "before_s": 1, "after_s": 0.5, "kinds": ["goal"]}
    asked = server.client.post(f"{base}/process", json={"steps": ["reel"], "reel": reel})
    assert asked.status_code == 200, asked.text
    job_id = asked.json()["jobs"][0]["job_id"]
    job = wait_for(
        lambda: (j := server.get(f"/processing/jobs/{job_id}"))["ended_at"] and j, "over", 60
    )
    assert job["state"] == "done", job
    assert job["result"]["stretches"] == 2  # the first two touch
    seen = counters(server.recordings / MATCH / "reel.mp4")
    assert len(seen) == pytest.approx((2.0 + 1.5) * 30, abs=2)
    jumps = [b - a for a, b in pairwise(seen) if b != a + 1]
    assert len(jumps) == 1
    assert jumps[0] == pytest.approx(3 * 30, abs=3)


def test_moments_are_marked_changed_and_shown_as_chapters(server: Server) -> None:
    base = f"/recordings/{MATCH}/markers"
    kickoff, *goals = server.get(base)["markers"]
    assert kickoff["kind"] == "kickoff"
    for each in goals:
        assert server.client.delete(f"{base}/{each['marker_id']}").status_code == 200
    assert -1 < kickoff["at"] < 2
    goal = server.client.post(base, json={"kind": "goal", "text": "1:0", "team": "A", "at": 4.5})
    assert goal.status_code == 200
    marker_id = goal.json()["marker_id"]
    assert [m["kind"] for m in server.get(base)["markers"]] == ["kickoff", "goal"]
    changed = server.client.patch(f"{base}/{marker_id}", json={"text": "1:0 -->", "at": 5.0})
    assert changed.json()["at"] == 5.0
    chapters = server.client.get(f"/recordings/{MATCH}/markers.vtt").text
    assert chapters.startswith("WEBVTT")
    assert "00:00:05.000 --> 00:00:15.000\ngoal A 1:0 --&gt;\n" in chapters
    without_time = server.client.post(base, json={"kind": "corner"})
    assert without_time.status_code == 422
    assert server.client.delete(f"{base}/{marker_id}").status_code == 200
    assert server.client.delete(f"{base}/{marker_id}").status_code == 404
    assert server.client.get("/recordings/nobody/markers").status_code == 404
