from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise
from typing import Any

import gi
import pytest

from support.rtpcamera import Unit, avc, avcc, encoded
from touchline.worker.pipeline.timeline import Timeline

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

STEP_NS = 40_000_000
BASE_NS = 1_000_000_000_000
NONE = 2**64 - 1


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    Gst.init(None)


def caps(unit: Unit, width: int = 160, height: int = 96) -> Any:
    made = Gst.Caps.from_string(
        f"video/x-h264,stream-format=avc,alignment=au,width={width},height={height}"
    )
    made.set_value("codec_data", Gst.Buffer.new_wrapped(avcc(unit)))
    return made


def sample(unit: Unit, its_caps: Any, pts: int, dts: int = NONE) -> Any:
    buffer = Gst.Buffer.new_wrapped(avc(unit.nals))
    buffer.pts, buffer.dts = pts, dts
    if not unit.keyframe:
        buffer.set_flags(Gst.BufferFlags.DELTA_UNIT)
    segment = Gst.Segment.new()
    segment.init(Gst.Format.TIME)
    return Gst.Sample.new(buffer, its_caps, segment, None)


def timeline(*, live: bool = True) -> Timeline:
    made = Timeline(loop=False, live=live, monotonic_ns=lambda: BASE_NS + 10**9)
    made.begin_at(BASE_NS)
    return made


def frames(x264: str, pts: Sequence[int]) -> list[Any]:
    units = encoded(len(pts), x264)
    line, of_all = timeline(), caps(units[0])
    return [line.frame(sample(u, of_all, at)) for u, at in zip(units, pts, strict=True)]


B_FRAMES = {
    "B-frames": "keyint=20:min-keyint=20:scenecut=0:bframes=2:b-adapt=0:b-pyramid=none",
    "referenced B-frames": "keyint=20:scenecut=0:bframes=3:b-adapt=0:b-pyramid=normal",
}


@pytest.mark.parametrize("x264", B_FRAMES.values(), ids=B_FRAMES)
def test_decode_times_of_b_frames_without_any_are_evenly_spaced_and_never_late(x264: str) -> None:
    shown = [unit.shown * STEP_NS for unit in encoded(60, x264)]
    found = frames(x264, shown)
    assert {b.dts_ns - a.dts_ns for a, b in pairwise(found)} == {STEP_NS}
    assert all(f.dts_ns <= f.pts_ns for f in found)
    assert [f.pts_ns - BASE_NS for f in found] == shown
    assert {f.duration_ns for f in found} == {STEP_NS}


def test_a_sample_that_waited_while_the_size_changed_is_described_by_its_own_caps() -> None:
    small, large = encoded(3, width=160, height=96), encoded(3, width=320, height=192)
    line = timeline()
    queued = [
        sample(small[0], caps(small[0]), 0),
        sample(small[1], caps(small[0]), STEP_NS),
        sample(large[0], caps(large[0], 320, 192), 2 * STEP_NS),
        sample(large[1], caps(large[0], 320, 192), 3 * STEP_NS),
        sample(small[0], caps(small[0]), 4 * STEP_NS),
    ]
    found = [line.frame(each).codec for each in queued]
    assert [codec.width for codec in found] == [160, 160, 320, 320, 160]
    assert [codec.avcc for codec in found[1:3]] == [avcc(small[0]), avcc(large[0])]


def test_a_buffer_without_a_time_gets_one_between_its_neighbours() -> None:
    shown = [n * STEP_NS for n in range(20)]
    shown[7] = shown[8] = shown[15] = NONE
    found = frames("keyint=20:bframes=0", shown)
    assert [f.pts_ns - BASE_NS for f in found] == [n * STEP_NS for n in range(20)]


@pytest.mark.parametrize("early", [2**64 - 80_000_000, 2**64 - 1 - 10**6])
def test_a_picture_from_before_the_base_time_poisons_nothing(early: int) -> None:
    shown = [early, *(n * STEP_NS for n in range(1, 12))]
    found = frames("keyint=20:bframes=0", shown)
    assert found[0].pts_ns - BASE_NS == early - 2**64
    assert [f.pts_ns - BASE_NS for f in found[1:]] == shown[1:]
    assert all(a.dts_ns < b.dts_ns for a, b in pairwise(found))


@pytest.mark.parametrize("wild", [2**63 - 1, 2**62, 10 * 10**9, NONE])
def test_a_wild_time_costs_its_own_picture_a_guess_and_no_other_anything(wild: int) -> None:
    shown = [n * STEP_NS for n in range(20)]
    shown[5] = wild
    found = frames("keyint=20:bframes=0", shown)
    assert [f.pts_ns - BASE_NS for f in found] == [n * STEP_NS for n in range(20)]


def test_a_stream_without_any_times_is_placed_as_it_comes() -> None:
    found = frames("keyint=20:bframes=0", [NONE] * 12)
    assert {b.pts_ns - a.pts_ns for a, b in pairwise(found)} == {STEP_NS}
