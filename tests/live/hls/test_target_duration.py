"""What a live playlist said of the length of its segments holds, whatever the camera does."""

from __future__ import annotations

import re
from dataclasses import replace

import pytest

from live.hls.test_packager import SHAPE, breaches, packaged, packager
from support.codedbytes import frame, frames
from touchline.live.frames.frame import LiveFrame
from touchline.live.hls.packager import File
from touchline.live.hls.playlist import target_s


def told(text: str) -> tuple[int, list[float]]:
    """The target duration of a playlist, and how long its segments are."""
    target = int(re.findall(r"TARGETDURATION:(\d+)", text)[0])
    return target, [float(each) for each in re.findall(r"#EXTINF:([\d.]+)", text)]


def with_gops(*lengths: int, fps: float = 30) -> list[LiveFrame]:
    """Frames whose groups of pictures have these lengths."""
    keys = {sum(lengths[:n]) for n in range(len(lengths))}
    return [frame(n, keyframe=n in keys, fps=fps) for n in range(sum(lengths) + 1)]


STALLS = [f._replace(pts_ns=f.pts_ns + (f.dts_ns > 4.43e9) * 900_000_000,
                     dts_ns=f.dts_ns + (f.dts_ns > 4.43e9) * 900_000_000)
          for f in with_gops(30, 30, 30, 600)]  # fmt: skip


@pytest.mark.parametrize(
    ("taken", "independent"),
    [
        (with_gops(*[30] * 20), True),
        (with_gops(30, 30, 30, 250, 30, 300, 30), False),  # a "smart" encoder, with still pictures
        (with_gops(60, 120, 240, 480), False),
        (with_gops(15, 30, 45, 60, 75, 90), False),
        (with_gops(25, 25, 250, 25, fps=12.5), False),
        (STALLS, False),  # a frame that comes late, where a segment is nearly full
    ],
)
def test_a_target_duration_that_was_told_holds_whatever_the_camera_does(
    taken: list[LiveFrame],
    independent: bool,  # noqa: FBT001
) -> None:
    made = packager(shape=replace(SHAPE, segments=100))
    files: list[File] = []
    targets = set()
    for each in taken:
        files += made.take(each)
        target, lengths = told(text := made.render())
        if lengths:
            targets.add(target)
        assert all(target_s(length) <= target for length in lengths), text
        assert breaches(made) == []
    assert len(targets) == 1
    assert ("#EXT-X-INDEPENDENT-SEGMENTS" in text) is independent
    begins = [segment.parts[0].independent for segment in made.segments if segment.parts]
    assert all(begins) is independent
    # Nothing is lost or told twice, and only what the camera broke off is a break.
    media = b"".join(file.data for file in files if file.parts_of is not None)
    units = sum(media.count(each) for each in {f.data for f in taken})
    assert units + len(made._pending) == len(taken)
    assert sum(segment.discontinuity for segment in made.segments) == 0
    whole = sum(segment.duration_s for segment in made.segments)
    late = 0.9 if taken is STALLS else 0.0
    assert whole == pytest.approx(taken[-1].dts_ns / 1e9, abs=late + 0.3)


def test_before_a_segment_is_whole_a_player_is_told_twice_its_length_by_now() -> None:
    made = packager(shape=replace(SHAPE, segments=100))
    taken = with_gops(900)
    packaged(made, taken[: 6 * 30])
    made.tell()
    first, none = told(made.render())
    assert none == []
    assert 10 <= first <= 12
    packaged(made, taken[6 * 30 :])
    target, lengths = told(made.render())
    assert target == first
    assert len(lengths) >= 2
    assert all(target_s(length) <= target for length in lengths)


def test_whoever_tells_before_the_first_frame_promises_nothing() -> None:
    made = packager()
    made.tell()
    packaged(made, frames(151, gop=120))
    assert told(made.render())[0] == 4
