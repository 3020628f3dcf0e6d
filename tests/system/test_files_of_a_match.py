"""Every file and playlist of a match day with three cameras, read back by independent parsers.

One match is recorded, watched meanwhile and processed; then everything that was written is read by
programs that share no code with each other, and compared with what was recorded.
"""

from __future__ import annotations

import shutil
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

import httpx
import pytest

from support import mediaroutes, readers
from support.server import SMALL, Server, serving, wait_for
from support.watching import root, shown
from touchline.media.mp4 import scan as mp4scan

pytestmark = pytest.mark.slow

MATCH = "derby"
CAMERAS = {0: SMALL, 1: SMALL, 2: {**SMALL, "fps": 15}}
FPS = {0: 30, 1: 30, 2: 15}
COLOUR = (6, 6, 6, False)
"""Of the cameras: encoders take small pictures for those of standard television."""
MADE = ("panorama_archive.mp4", "follow_archive.mp4", "reel.mp4")


@dataclass
class Day:
    server: Server
    kept: Path
    """Copies of what changes later: segments that were open."""
    live: list[str] = field(default_factory=list)
    """Playlists of camera 2 as it was watched."""
    fetched: dict[str, bytes] = field(default_factory=dict)
    """What the newest of them named, by its name."""
    running_vod: list[str] = field(default_factory=list)
    stopped: dict[str, Any] = field(default_factory=dict)
    processing: dict[str, Any] = field(default_factory=dict)

    @property
    def folder(self) -> Path:
        return self.server.recordings / MATCH

    def text(self, path: str, **params: str) -> str:
        answer = self.server.client.get(f"{root(self.server)}{path}", params=params)
        assert answer.status_code == 200, answer.text
        return answer.text


@pytest.fixture(scope="module")
def day(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Day]:
    data, kept = tmp_path_factory.mktemp("server"), tmp_path_factory.mktemp("kept")
    with serving(data, CAMERAS, segment_s=5, preview_while_recording=True) as server:
        it = Day(server, kept)
        server.started(MATCH)
        assert shown(server, transport="hls")["cameras_started"] == [0, 1, 2]
        _watch(it)
        server.client.delete("/preview")
        it.stopped = server.stop()
        assert it.stopped["success"], it.stopped
        _process(it)
        yield it


def _watch(it: Day) -> None:
    """Watch until every camera is in its second file, and a VOD playlist has begun."""
    server = it.server
    mark = server.client.post(f"/recordings/{MATCH}/markers", json={"kind": "goal"})
    assert mark.status_code == 200, mark.text

    def second_file() -> bool:
        it.live.append(it.text("/hls/cam2.m3u8"))
        time.sleep(0.2)
        enough = len(it.live) > 8
        return enough and all(len(server.segments(MATCH, camera)) > 1 for camera in CAMERAS)

    wait_for(second_file, "in the second file")
    _fetch_live(it)
    time.sleep(1)
    it.running_vod.append(it.text(f"/api/v1/recordings/{MATCH}/vod/cam0.m3u8", container="mp4"))
    for camera in CAMERAS:
        newest = server.segments(MATCH, camera)[-1]
        shutil.copyfile(newest, it.kept / newest.name)


def _fetch_live(it: Day) -> None:
    """Fetch the whole segments of a live playlist before they are gone, and their parts."""
    it.live.append(it.text("/hls/cam2.m3u8"))
    whole = [s for s in readers.playlist(it.live[-1]).segments if s.uri]
    for segment in whole:
        for name in (segment.map_uri, segment.uri, *(uri for uri, _ in segment.parts)):
            answer = it.server.client.get(f"{root(it.server)}/hls/{name}")
            assert answer.status_code == 200, name
            it.fetched[str(name)] = answer.content


def _process(it: Day) -> None:
    asked = it.server.client.post(
        f"/recordings/{MATCH}/process",
        json={
            "steps": ["archive", "panorama", "follow", "sprites", "reel"],
            "reel": {"camera": "cam2", "before_s": 1, "after_s": 1.3},
        },
    )
    assert asked.status_code == 200, asked.text

    def over() -> dict[str, Any] | None:
        status = dict(it.server.get(f"/recordings/{MATCH}/processing-status"))
        return None if status["processing"] else status

    it.processing = wait_for(over, "processed", 240)


# ------------------------------------------------------------------- files


def recorded(day: Day, camera: int) -> int:
    """Frames by the manifest."""
    return sum(
        s["frames"] for s in day.server.manifest(MATCH)["segments"] if s["camera"] == f"cam{camera}"
    )


@pytest.mark.parametrize("camera", CAMERAS)
def test_segments_are_what_the_manifest_says(day: Day, camera: int) -> None:
    listed = {s["name"]: s for s in day.server.manifest(MATCH)["segments"]}
    for path in day.server.segments(MATCH, camera):
        film = readers.both(path)
        told = listed[path.name]
        assert len(film.samples) == told["frames"]
        assert film.duration_s == pytest.approx(
            (told["end_unix_ns"] - told["start_unix_ns"]) / 1e9, abs=0.002
        )
        assert (film.width, film.height, film.colour) == (320, 180, COLOUR)
        assert film.samples[0].keyframe
        assert len(film.samples) / film.duration_s == pytest.approx(FPS[camera], rel=0.1)


@pytest.mark.parametrize("camera", CAMERAS)
def test_a_segment_reads_well_while_it_is_open_and_when_it_was_salvaged(
    day: Day, tmp_path: Path, camera: int
) -> None:
    (copy,) = day.kept.glob(f"cam{camera}_*")
    (finished,) = (p for p in day.server.segments(MATCH, camera) if p.name == copy.name)
    whole = readers.both(finished).samples
    open_copy, salvaged = tmp_path / "open.mp4", tmp_path / "salvaged.mp4"
    data = copy.read_bytes()
    open_copy.write_bytes(data[: mp4scan.scan(copy, checksums=True).good_bytes])
    salvaged.write_bytes(data)
    mp4scan.salvage(salvaged)
    for path in (open_copy, salvaged):
        film = readers.both(path)
        assert 0 < len(film.samples) <= len(whole)
        assert film.samples == whole[: len(film.samples)], path
        assert (film.width, film.height, film.colour) == (320, 180, COLOUR)


@pytest.mark.parametrize("camera", CAMERAS)
def test_archives_hold_every_frame(day: Day, camera: int) -> None:
    film = readers.both(day.folder / f"cam{camera}_archive.mp4")
    assert len(film.samples) == recorded(day, camera)
    assert (film.width, film.height, film.colour) == (320, 180, COLOUR)
    files = [readers.both(p).samples for p in day.server.segments(MATCH, camera)]
    assert [s.size_bytes for s in film.samples] == [s.size_bytes for f in files for s in f]
    # Within each segment decode and presentation times are those of the segment.
    at = 0
    for samples in files:
        copied = film.samples[at : at + len(samples)]
        at += len(samples)
        for field_name in ("dts_s", "pts_s"):
            of_file = [getattr(s, field_name) - getattr(samples[0], field_name) for s in samples]
            of_archive = [getattr(s, field_name) - getattr(copied[0], field_name) for s in copied]
            assert of_archive == pytest.approx(of_file, abs=0.002), field_name
        lead_s = samples[0].pts_s - samples[0].dts_s
        assert copied[0].pts_s - copied[0].dts_s == pytest.approx(lead_s, abs=0.002)


@pytest.mark.parametrize("name", MADE)
def test_what_was_made_of_the_match_reads_well(day: Day, name: str) -> None:
    film = readers.both(day.folder / name)
    assert film.colour == COLOUR
    assert film.samples[0].keyframe
    made = day.server.get(f"/recordings/{MATCH}/made")["made"]
    if name == "reel.mp4":
        assert film.duration_s == pytest.approx(made["reel"]["duration_s"], abs=0.1)
    elif name == "follow_archive.mp4":
        assert len(film.samples) == made["follow"]["frames"] == made["panorama"]["frames"]
    else:
        assert len(film.samples) == made["panorama"]["frames"] >= recorded(day, 0)
        assert (film.width, film.height) == (640, 180)


def captured_s(day: Day, camera: int) -> list[float]:
    """When each frame was captured, in seconds of the match."""
    found = []
    for path in day.server.segments(MATCH, camera):
        scan, table = mp4scan.index(path)
        begin_ns = (scan.start_unix_ns or 0) - day.server.manifest(MATCH)["clock"]["start_unix_ns"]
        found += [begin_ns / 1e9 + entry.pts / 90_000 for _, entry in table.entries()]
    return sorted(found)


@pytest.mark.parametrize("camera", CAMERAS)
def test_clips_read_well_with_their_edges(day: Day, tmp_path: Path, camera: int) -> None:
    times_s = captured_s(day, camera)
    from_s = round(times_s[0] + 0.51, 3)  # between two keyframes: the beginning is coded anew
    to_s = round(from_s + 1.5, 3)
    answer = day.server.client.get(
        f"/recordings/{MATCH}/clip", params={"camera": camera, "start": from_s, "end": to_s}
    )
    assert answer.status_code == 200, answer.text
    path = tmp_path / "clip.mp4"
    path.write_bytes(answer.content)
    film = readers.both(path)
    wanted = [at_s for at_s in times_s if from_s <= at_s < to_s]
    assert len(film.samples) == pytest.approx(len(wanted), abs=1)
    assert film.colour == COLOUR


# --------------------------------------------------------------- playlists


@pytest.mark.parametrize("container", ["ts", "mp4"])
@pytest.mark.parametrize("camera", CAMERAS)
def test_vod_playlists_are_the_recording(
    day: Day, tmp_path: Path, camera: int, container: str
) -> None:
    base = f"/api/v1/recordings/{MATCH}/vod/cam{camera}.m3u8"
    read = readers.playlist(day.text(base, container=container))
    assert read.ended
    assert all(s.duration_s <= read.target_s for s in read.segments)
    total_s = sum(s.duration_s for s in read.segments)
    files = [readers.both(p) for p in day.server.segments(MATCH, camera)]
    assert total_s == pytest.approx(sum(f.duration_s for f in files), abs=0.2)
    if container == "mp4":
        joined = tmp_path / "joined.mp4"
        (init,) = {s.map_uri for s in read.segments}
        with joined.open("wb") as out:
            for uri in (init, *(s.uri for s in read.segments)):
                out.write(day.server.client.get(f"{root(day.server)}{uri}").content)
        film = readers.both(joined)
        assert [s.size_bytes for s in film.samples] == [
            s.size_bytes for file in files for s in file.samples
        ]
        assert film.colour == COLOUR


def test_a_running_match_only_adds_to_its_playlist(day: Day) -> None:
    running = readers.playlist(day.running_vod[0])
    over = readers.playlist(day.text(f"/api/v1/recordings/{MATCH}/vod/cam0.m3u8", container="mp4"))
    assert not running.ended
    assert running.target_s == over.target_s
    assert running.segments == over.segments[: len(running.segments)]


def test_live_segments_read_well_and_are_their_parts_in_a_row(day: Day, tmp_path: Path) -> None:
    whole = [s for s in readers.playlist(day.live[-1]).segments if s.uri]
    assert len(whole) >= 3
    (init,) = {s.map_uri for s in whole}
    joined = tmp_path / "live.mp4"
    joined.write_bytes(b"".join(day.fetched[str(name)] for name in (init, *(s.uri for s in whole))))
    film = readers.both(joined)
    assert (film.width, film.height, film.colour) == (320, 180, COLOUR)
    assert film.samples[0].keyframe
    total_s = sum(s.duration_s for s in whole)
    assert len(film.samples) == pytest.approx(total_s * FPS[2], abs=2)
    steps = [b.dts_s - a.dts_s for a, b in pairwise(film.samples)]
    assert all(0 < step < 3 / FPS[2] for step in steps)
    parted = [s for s in whole if s.parts]
    assert parted
    for segment in parted:
        assert b"".join(day.fetched[uri] for uri, _ in segment.parts) == day.fetched[segment.uri]


def test_low_latency_playlists_of_a_slow_camera_keep_their_word(day: Day) -> None:
    assert len(day.live) > 5
    for text in day.live:
        read = readers.playlist(text)
        assert read.part_target_s is not None
        assert all(round(s.duration_s) <= read.target_s for s in read.segments)
        listed = [s for s in read.segments if s.parts]
        for segment in listed:
            for number, (_, duration_s) in enumerate(segment.parts, 1):
                assert duration_s <= read.part_target_s
                if number < len(segment.parts):
                    assert duration_s >= 0.85 * read.part_target_s
    assert any(s.parts for text in day.live for s in readers.playlist(text).segments)


# ----------------------------------------------------------- three cameras


def test_every_camera_is_counted_everywhere(day: Day) -> None:
    server, names = day.server, ["cam0", "cam1", "cam2"]
    keys = {"camera_0", "camera_1", "camera_2"}
    assert set(day.stopped["camera_stop_results"]) == keys
    assert set(day.stopped["integrity"]["cameras"]) == keys
    assert day.processing["completed"], day.processing
    assert all(day.processing["archives"][name] for name in (*names, "panorama"))
    entry = server.get("/recordings")["recordings"][MATCH]
    assert entry["camera_count"] == 3
    segments = server.get(f"/recordings/{MATCH}/segments")
    assert {s["camera"] for s in segments["other"]} == {"cam2"}
    files = [path for camera in CAMERAS for path in server.segments(MATCH, camera)]
    assert segments["segments_count"] == len(files)
    verified = server.client.post(f"/recordings/{MATCH}/verify").json()
    assert verified["ok"], verified
    assert set(verified["cameras"]) == set(names)
    made = server.get(f"/recordings/{MATCH}/made")["made"]
    assert set(made["archive"]["archives"]) == set(names)
    assert set(made["sprites"]["sheets"]) >= set(names)
    for name in names:
        assert (day.folder / f"{name}_poster.jpg").exists()
    members = _zip_names(server)
    assert {f"{MATCH}/{name}_archive.mp4" for name in names} <= members
    assert {f"{MATCH}/segments/{path.name}" for path in files} <= members
    assert {f"cam{c['id']}" for c in server.get("/cameras")["cameras"]} == set(names)


def _zip_names(server: Server) -> set[str]:
    import io
    import zipfile

    answer = server.client.get(f"/recordings/{MATCH}/download")
    assert answer.status_code == 200
    return set(zipfile.ZipFile(io.BytesIO(answer.content)).namelist())


# ------------------------------------------------------------- HEAD and ranges


@pytest.mark.parametrize("route", mediaroutes.MEDIA)
def test_every_media_route_answers_head_and_ranges(day: Day, route: str) -> None:
    server = day.server
    address, ranges = mediaroutes.MEDIA[route]
    if route == "/hls/{name}":
        assert shown(server, transport="hls", camera_id=2)["success"]
    segment = server.segments(MATCH, 2)[0].name
    begin_s = round(captured_s(day, 2)[0], 3)
    url = root(server) + address.format(
        match=MATCH, segment=segment, start=begin_s, end=begin_s + 1
    )
    with httpx.Client(timeout=60) as client:
        head, get = client.head(url), client.get(url)
        assert get.status_code == 200, get.text
        assert (head.status_code, head.content) == (200, b"")
        assert head.headers["content-type"] == get.headers["content-type"]
        if ranges:
            assert head.headers["content-length"] == str(len(get.content))
            # A clip's edge is coded anew for each request: all of them must be of one file.
            size = len(get.content)
            for begin, end in ((10, 29), (size // 3, size // 3 + 999), (size // 2, size - 1)):
                part = client.get(url, headers={"range": f"bytes={begin}-{end}"})
                assert (part.status_code, part.content) == (206, get.content[begin : end + 1])
                assert part.headers["etag"] == get.headers["etag"] == head.headers["etag"]
            last = client.get(url, headers={"range": "bytes=-7"})
            assert (last.status_code, last.content) == (206, get.content[-7:])
            beyond = client.get(url, headers={"range": f"bytes={len(get.content)}-"})
            assert beyond.status_code == 416
