from __future__ import annotations

from fractions import Fraction

import pytest

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
