from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support.coded import FRAME_NS, encoded
from support.frames import counters
from support.segments import write_open
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4.fragment import MOOF_BYTES, TRUN_ENTRY_BYTES
from touchline.media.mp4.sample import SampleEntry, ticks
from touchline.media.mp4.sampletable import SampleTable
from touchline.media.storage.disk import Disk

BFRAMES = [0, 2]


def packets(path: Path) -> list[dict[str, Any]]:
    command = ["ffprobe", "-loglevel", "error", "-show_packets", "-of", "json", str(path)]
    answer = subprocess.run(command, capture_output=True, check=True)
    assert not answer.stderr, answer.stderr.decode()
    found: list[dict[str, Any]] = json.loads(answer.stdout)["packets"]
    return found


@pytest.mark.parametrize("bframes", BFRAMES)
def test_a_segment_that_is_still_being_written_plays_to_its_last_fragment(
    tmp_path: Path, bframes: int
) -> None:
    path = write_open(tmp_path / "open.mp4", encoded(50, gop=25, bframes=bframes))
    assert counters(path) == list(range(50))


@pytest.mark.parametrize("bframes", BFRAMES)
def test_a_finished_segment_plays_with_every_frame_at_its_time(
    tmp_path: Path, bframes: int
) -> None:
    frames = encoded(50, gop=25, bframes=bframes)
    path = write_open(tmp_path / "finished.mp4", frames)
    mp4scan.salvage(path)
    assert counters(path) == list(range(50))
    found = packets(path)
    base_pts, base_dts = frames[0].pts_ns, frames[0].dts_ns
    assert [int(p["pts"]) for p in found] == [ticks(f.pts_ns - base_pts) for f in frames]
    # A player shifts decode times until none comes after its picture; their steps stay.
    shift = int(found[0]["dts"])
    assert [int(p["dts"]) - shift for p in found] == [ticks(f.dts_ns - base_dts) for f in frames]
    assert ["K" in p["flags"] for p in found] == [f.keyframe for f in frames]
    assert sum(int(p["size"]) for p in found) == sum(len(f.data) for f in frames)
    offsets = {(f.pts_ns - base_pts) - (f.dts_ns - base_dts) for f in frames}
    assert (min(offsets) < 0) == bool(bframes), "negative composition offsets are to be tested"


@pytest.mark.parametrize("bframes", BFRAMES)
def test_a_segment_cut_in_the_middle_of_a_fragment_plays_what_is_whole(
    tmp_path: Path, bframes: int
) -> None:
    path = write_open(tmp_path / "cut.mp4", encoded(50, gop=25, bframes=bframes))
    last = mp4scan.scan(path, checksums=False).fragments[-1]
    os.truncate(path, last.offset + last.size_bytes - 60)
    found = mp4scan.salvage(path)
    assert found.frames == 50 - last.samples
    assert sorted(counters(path)) == counters(path)
    assert len(packets(path)) == found.frames
    after = mp4scan.scan(path, checksums=True)
    assert (after.finalized, after.faults, after.frames) == (True, (), found.frames)


def test_a_finished_segment_can_be_seeked_to_a_keyframe(tmp_path: Path) -> None:
    path = write_open(tmp_path / "seek.mp4", encoded(100, gop=25))
    mp4scan.salvage(path)
    clip = tmp_path / "clip.mp4"
    command = [
        *("ffmpeg", "-nostdin", "-loglevel", "error", "-ss", "2.0", "-i", str(path)),
        *("-c", "copy", str(clip)),
    ]
    subprocess.run(command, check=True)
    assert counters(clip)[0] == 50


def test_a_hole_between_fragments_keeps_its_length(tmp_path: Path) -> None:
    frames = encoded(50, gop=25)
    late = [f._replace(pts_ns=f.pts_ns + 10**9, dts_ns=f.dts_ns + 10**9) for f in frames[25:]]
    path = write_open(tmp_path / "hole.mp4", [*frames[:25], *late])
    mp4scan.salvage(path)
    times = [float(p["pts_time"]) for p in packets(path)]
    assert times[25] - times[24] == pytest.approx(1 + FRAME_NS / 1e9, abs=1e-4)
    assert mp4scan.scan(path, checksums=True).duration_ns == pytest.approx(3e9, abs=1e5)


def test_samples_beyond_four_gibibytes_are_found_by_every_player(tmp_path: Path) -> None:
    frames = encoded(50, gop=25)
    whole = write_open(tmp_path / "whole.mp4", frames)
    scan = mp4scan.scan(whole, checksums=False)
    head_bytes = scan.fragments[0].offset
    far = 5 << 30  # behind a hole that takes no room on the disk
    table, first = SampleTable(frames[0].codec), 0
    for fragment in scan.fragments:
        entries = [
            SampleEntry(
                ticks(f.dts_ns - frames[0].dts_ns),
                ticks(f.pts_ns - frames[0].pts_ns),
                len(f.data),
                f.keyframe,
            )
            for f in frames[first : first + fragment.samples]
        ]
        rows = MOOF_BYTES + TRUN_ENTRY_BYTES * fragment.samples + 8
        table.add(fragment.offset - head_bytes + far + rows, entries, ticks(FRAME_NS))
        first += fragment.samples
    path = tmp_path / "large.mp4"
    data = whole.read_bytes()
    path.write_bytes(data[:head_bytes])
    fd = os.open(path, os.O_RDWR)
    try:
        os.pwrite(fd, data[head_bytes:], far)
        end = far + len(data) - head_bytes
        mp4scan.finish(Disk(), fd, table, end, len(scan.fragments) + 1)
    finally:
        os.close(fd)
    assert b"co64" in table.boxes()
    assert counters(path) == list(range(50))
