from __future__ import annotations

from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.capture.encoding.picture import MIN_SIDE, Crop, exact_rate, frame_caps


@pytest.mark.parametrize(
    ("given", "meant"),
    [
        (Fraction("29.97"), Fraction(30000, 1001)),
        (Fraction("59.94"), Fraction(60000, 1001)),
        (Fraction("23.976"), Fraction(24000, 1001)),
        (Fraction(25), Fraction(25)),
        (Fraction(30000, 1001), Fraction(30000, 1001)),
        (Fraction("12.5"), Fraction(25, 2)),
    ],
)
def test_a_rate_is_the_one_that_cameras_mean(given: Fraction, meant: Fraction) -> None:
    assert exact_rate(given) == meant
    assert frame_caps(2, 4, meant).endswith(f"framerate={meant.numerator}/{meant.denominator}")


def test_a_crop_leaves_a_picture_with_even_sides() -> None:
    assert not Crop()
    assert Crop(left=3, right=5, top=7).even() == Crop(left=2, right=4, top=6)
    cut = Crop(left=7000, right=7000, top=11, bottom=1).within(640, 360)
    assert 640 - cut.left - cut.right >= MIN_SIDE
    assert (cut.left, cut.right, cut.top, cut.bottom) == (624, 0, 10, 0)


def test_the_shipped_crop_leaves_the_shipped_picture() -> None:
    crop = Crop(left=480, right=480, top=0, bottom=408).within(3840, 2160)
    assert (3840 - crop.left - crop.right, 2160 - crop.top - crop.bottom) == (2880, 1752)


side = st.integers(8, 2000).map(lambda half: 2 * half)


edge = st.integers(0, 4320)


@given(width=side, height=side, left=edge, right=edge, top=edge, bottom=edge)
def test_a_clamped_crop_is_even_and_leaves_a_picture(
    width: int, height: int, left: int, right: int, top: int, bottom: int
) -> None:
    crop = Crop(left=left, right=right, top=top, bottom=bottom).within(width, height)
    assert width - crop.left - crop.right >= MIN_SIDE
    assert height - crop.top - crop.bottom >= MIN_SIDE
    for given_edge, clamped in zip(
        (left, right, top, bottom), crop.model_dump().values(), strict=True
    ):
        assert clamped % 2 == 0
        assert 0 <= clamped <= given_edge
