"""A hole is told from a camera that is slow, and a few holes do not make it slow."""

from __future__ import annotations

import pytest

from support.coded import FRAME_NS, frames
from touchline.ipc.tee import Frame
from touchline.ipc.wire import LEAST_HOLE_NS
from touchline.worker.recording.steps import FrameSteps

MS = 1_000_000


def holes(steps_ns: list[int], *, duration_ns: int = FRAME_NS) -> list[bool]:
    steps = FrameSteps()
    (first,) = frames(1, gop=1)
    last, found = first._replace(duration_ns=duration_ns), []
    for step_ns in steps_ns:
        frame = last._replace(dts_ns=last.dts_ns + step_ns, pts_ns=last.pts_ns + step_ns)
        found.append(steps.is_hole(last, frame))
        last = frame
    return found


@pytest.mark.parametrize("step_ns", [LEAST_HOLE_NS, 800 * MS, 30_000 * MS])
def test_what_lasts_as_long_as_a_listed_gap_is_a_hole(step_ns: int) -> None:
    usual = [FRAME_NS] * 30
    assert holes([*usual, step_ns, *usual]) == [False] * 30 + [True] + [False] * 30
    assert holes([step_ns, FRAME_NS]) == [True, False]


def test_what_is_shorter_is_none() -> None:
    assert not any(holes([FRAME_NS] * 30 + [LEAST_HOLE_NS - 1]))


@pytest.mark.parametrize("interval_ns", [333 * MS, 500 * MS, 1000 * MS])
def test_a_slow_camera_has_no_hole_between_any_two_pictures(interval_ns: int) -> None:
    assert not any(holes([interval_ns] * 30, duration_ns=interval_ns))
    assert holes([interval_ns] * 30 + [5 * interval_ns])[-1]


def test_a_camera_that_becomes_slow_is_one_soon() -> None:
    found = holes([FRAME_NS] * 100 + [1000 * MS] * 30)
    assert sum(found) == 8
    assert not any(found[108:])


def test_holes_in_a_row_are_all_found() -> None:
    assert sum(holes([FRAME_NS, FRAME_NS, 800 * MS] * 10)) == 10


def test_a_stated_duration_does_not_reach_over_a_hole() -> None:
    steps = FrameSteps()
    last: Frame = frames(1, gop=1)[0]
    assert steps.length_ns(last) == FRAME_NS
    for _ in range(5):
        steps.is_hole(last, last._replace(dts_ns=last.dts_ns + FRAME_NS))
    assert steps.length_ns(last._replace(duration_ns=1900 * MS)) == LEAST_HOLE_NS
    assert steps.length_ns(last._replace(duration_ns=0)) == 1
