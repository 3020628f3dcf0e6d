from __future__ import annotations

from functools import cache

import numpy as np
import pytest

from touchline.media.picture.pitchplay import BREADTH_M, view
from touchline.sim.pitch import SIDES, background

SIZE = (640, 360)


@cache
def planes(side: str) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    width, height = SIZE
    drawn = background(view(side, width, height))
    assert drawn.shape == (height * 3 // 2, width)
    flat = drawn.reshape(-1)
    chroma = flat[width * height :].reshape(2, height // 2, width // 2)
    return drawn[:height], chroma[0], chroma[1]


@pytest.mark.parametrize("side", SIDES)
def test_an_empty_pitch_is_green_below(side: str) -> None:
    _, u, v = planes(side)
    lower = slice(SIZE[1] // 4, None)
    # Green has little blue and little red.
    assert np.median(u[lower]) < 128
    assert np.median(v[lower]) < 128


@pytest.mark.parametrize("side", SIDES)
def test_the_near_touchline_is_drawn_where_the_camera_sees_it(side: str) -> None:
    of, (luma, _, _) = view(side, *SIZE), planes(side)
    seen = []
    for metres in range(-40, 41):
        line, grass = (of.project((float(metres), y_m, 0.0)) for y_m in (-BREADTH_M / 2, -31.0))
        places = [(round(each[0]), round(each[1])) for each in (line, grass) if each is not None]
        if len(places) == 2 and all(0 <= x < SIZE[0] and 0 <= y < SIZE[1] for x, y in places):
            on_line, on_grass = (int(luma[y, x]) for x, y in places)
            seen.append(on_line > on_grass + 30)
    assert len(seen) >= 3
    assert sum(seen) >= 0.9 * len(seen)
