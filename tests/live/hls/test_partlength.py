from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.live.hls.partlength import (
    LEAST_SHARE,
    FrameSpacing,
    Paced,
    fits,
    part_target_s,
    printed_ms,
)


@given(fps=st.floats(1, 120), asked_s=st.floats(0.1, 1))
def test_whole_frames_of_a_regular_camera_fill_the_target(fps: float, asked_s: float) -> None:
    frame_s = 1 / fps
    target_s = part_target_s(asked_s, FrameSpacing(frame_s, frame_s), 2.0)
    frames = int(target_s / frame_s)
    assert frames >= 1
    assert LEAST_SHARE * target_s <= frames * frame_s <= target_s


def test_a_requested_length_that_fits_is_kept() -> None:
    pace = FrameSpacing(0.02, 0.02)
    assert fits(0.2, pace)
    assert part_target_s(0.2, pace, 2.0) == 0.2


def test_an_irregular_camera_gets_long_parts_up_to_the_limit() -> None:
    pace = FrameSpacing(0.03, 0.07)
    assert not fits(0.2, pace)
    assert part_target_s(0.2, pace, 2.0) == pytest.approx(0.5)
    assert part_target_s(0.2, pace, 0.3) == pytest.approx(0.3)


def test_a_loss_is_no_part_of_the_cameras_pace() -> None:
    paced = Paced()
    assert paced.pace is None
    for period_s in (0.04, 0.041, 0.04, 1.5, 0.039):
        paced.add(period_s)
    assert paced.pace == FrameSpacing(0.039, 0.041)


def test_the_printed_target_is_never_shorter_than_the_true_one() -> None:
    assert [printed_ms(each) for each in (0.2, 0.2001, 0.1999)] == [200, 201, 200]
