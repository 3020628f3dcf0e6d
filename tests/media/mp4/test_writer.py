from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path
from typing import Any

import pytest

from support import segmentfiles
from support.coded import FRAME_NS, encoded
from support.frames import counters
from support.segments import write_open
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4 import writer
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
    assert [int(p["pts"]) for p in found] == [writer.ticks(f.pts_ns - base_pts) for f in frames]
    # A player shifts decode times until none comes after its picture; their steps stay.
    shift = int(found[0]["dts"])
    assert [int(p["dts"]) - shift for p in found] == [
        writer.ticks(f.dts_ns - base_dts) for f in frames
    ]
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
    table, first = writer.SampleTable(frames[0].codec), 0
    for fragment in scan.fragments:
        entries = [
            writer.SampleEntry(
                writer.ticks(f.dts_ns - frames[0].dts_ns),
                writer.ticks(f.pts_ns - frames[0].pts_ns),
                len(f.data),
                f.keyframe,
            )
            for f in frames[first : first + fragment.samples]
        ]
        rows = writer.MOOF_BYTES + writer.TRUN_ENTRY_BYTES * fragment.samples + 8
        table.add(fragment.offset - head_bytes + far + rows, entries, writer.ticks(FRAME_NS))
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


def test_an_ordinary_segment_needs_no_wide_offsets() -> None:
    table = writer.SampleTable(segmentfiles.CODEC)
    table.add(1000, [writer.SampleEntry(0, 0, 10, keyframe=True)], 3600)
    assert b"co64" not in table.boxes()
    assert b"stco" in table.boxes()


def test_time_is_rounded_and_the_rounding_never_adds_up() -> None:
    frame_ns = 1_001_000_000 / 30
    for n in (1, 2, 3, 29, 30 * 3600 * 4):
        ns = round(n * frame_ns)
        assert abs(writer.ticks_to_ns(writer.ticks(ns)) - ns) < 1e9 / writer.TIMESCALE
    assert writer.ticks(1_000_000_000) == writer.TIMESCALE
    assert writer.ticks(-1_000_000_000) == -writer.TIMESCALE


def test_a_record_reads_back_what_was_written() -> None:
    data = writer.record(writer.FRAGMENT, 7, 6, 1_770_000_000_000_000_000, 0)
    found = writer.read_record(data)
    assert found is not None
    assert found[:4] == (writer.FRAGMENT, 7, 6, 1_770_000_000_000_000_000)
    assert writer.read_record(data[:-1]) is None
    assert writer.read_record(b"\1" + data[1:]) is None


def test_the_codec_reads_back_from_a_segments_head() -> None:
    moov = writer.init_part(segmentfiles.CODEC)[
        writer.FREE_OFFSET + len(writer.FREE) : -writer.RECORD_BYTES
    ]
    assert writer.read_codec(moov) == segmentfiles.CODEC


def test_the_codec_is_that_of_the_sample_entry_although_a_brand_has_its_name(
    tmp_path: Path,
) -> None:
    for finalized in (False, True):
        path = segmentfiles.write_segment(tmp_path / f"{finalized}.mp4", finalized=finalized)
        assert b"avc1" in path.read_bytes()[:32]  # the brand
        assert mp4scan.codec_of(path) == segmentfiles.CODEC


@pytest.mark.parametrize("kind", [b"moov", b"trak", b"stsd", b"avc1", b"avcC"])
def test_a_head_without_one_of_its_boxes_is_no_segment(tmp_path: Path, kind: bytes) -> None:
    path = segmentfiles.write_segment(tmp_path / "damaged.mp4", finalized=False)
    data = path.read_bytes()
    at = data.index(kind, 40)
    path.write_bytes(data[:at] + b"none" + data[at + 4 :])
    with pytest.raises(mp4scan.NotSegment):
        mp4scan.codec_of(path)
