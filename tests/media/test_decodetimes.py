from __future__ import annotations

from itertools import pairwise

import pytest

from support.parametersets import PLAIN, sets
from support.rtpcamera import encoded
from touchline.media.decodetimes import STEP_NS, DecodeTimes, Reordering
from touchline.media.h264.slices import read_slice
from touchline.media.h264.syntax import read_pps, read_sps


@pytest.mark.parametrize(
    ("x264", "depth"),
    [
        (PLAIN, 0),
        ("keyint=30:scenecut=0:bframes=2:b-adapt=0:b-pyramid=none", 1),
        ("keyint=30:scenecut=0:bframes=3:b-adapt=0:b-pyramid=normal", 2),
    ],
)
def test_the_reorder_depth_is_found_without_the_streams_word(x264: str, depth: int) -> None:
    raw = sets(x264)
    told = read_sps(raw[0])
    silent = told._replace(reorder_frames=None)
    picture = read_pps(raw[1])
    known, guessed = Reordering(), Reordering()
    orders = []
    units = encoded(60, x264)
    for unit in units:
        head = read_slice(next(n for n in unit.nals if n[0] & 31 in {1, 5}), told, picture)
        orders.append(known.see(head, told))
        guessed.see(head, silent)
    assert known.depth == depth
    assert depth <= guessed.depth <= told.max_ref_frames
    assert (guessed.depth > 0) == (depth > 0)
    tops = [max((u.shown for u in units[:n]), default=-1) for n in range(60)]
    assert [o.later for o in orders] == [u.shown > top for u, top in zip(units, tops, strict=True)]
    assert [o.pictures for o in orders if not o.first] == [
        u.shown - top for u, top, o in zip(units, tops, orders, strict=True) if not o.first
    ]


def placed(shown: list[int], depth: int) -> list[tuple[int, int]]:
    """Presentation and decode times of pictures that are shown at these frames."""
    times = DecodeTimes()
    return [times.place(n * STEP, depth=depth, interval_ns=STEP) for n in shown]


STEP = 40_000_000


def test_without_reordering_a_picture_is_decoded_when_it_is_shown() -> None:
    assert placed([5, 6, 7, 9], 0) == [(n * STEP, n * STEP) for n in (5, 6, 7, 9)]


@pytest.mark.parametrize(
    ("shown", "depth"), [([3, 6, 4, 5, 9, 7, 8], 1), ([4, 8, 6, 5, 7, 12, 10, 9, 11], 2)]
)
def test_decode_times_have_even_steps_and_none_is_later_than_its_picture(
    shown: list[int], depth: int
) -> None:
    found = placed([n + 100 for n in shown], depth)
    steps = {b - a for (_, a), (_, b) in pairwise(found)}
    assert steps == {STEP}
    assert all(dts_ns <= pts_ns for pts_ns, dts_ns in found)
    assert [pts_ns // STEP - 100 for pts_ns, _ in found] == shown


def test_times_that_stand_still_or_go_back_give_rising_decode_times() -> None:
    found = placed([10, 10, 9, 10], 0)
    decoded = [dts_ns for _, dts_ns in found]
    assert decoded == [10 * STEP + n * STEP_NS for n in range(4)]
    assert all(pts_ns >= dts_ns for pts_ns, dts_ns in found)


def test_what_waited_before_a_gap_does_not_stretch_over_it() -> None:
    times = DecodeTimes()
    for n in (3, 6, 4, 5):
        times.place(n * STEP, depth=1, interval_ns=STEP)
    late_ns = 1000 * STEP
    _, dts_ns = times.place(late_ns, depth=1, interval_ns=STEP, first=True)
    assert late_ns - 2 * STEP <= dts_ns <= late_ns
