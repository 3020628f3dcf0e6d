from __future__ import annotations

import numpy as np
import pytest

from touchline.studio.pictures.planes import Planes, new_planes
from touchline.studio.stitching.sidebyside import SideBySide


def plain(width: int, height: int, level: int) -> Planes:
    planes = new_planes(width, height)
    for each in (planes.y, planes.u, planes.v):
        each[:] = level
    return planes


def test_both_pictures_are_shown_whole_and_unchanged() -> None:
    joiner = SideBySide((64, 48), (80, 48))
    assert (joiner.width, joiner.height) == (144, 48)
    into = new_planes(joiner.width, joiner.height)
    joiner.stitch(plain(64, 48, 90), plain(80, 48, 200), into)
    for each, middle in ((into.y, 64), (into.u, 32), (into.v, 32)):
        assert np.unique(each[:, :middle]).tolist() == [90]
        assert np.unique(each[:, middle:]).tolist() == [200]


@pytest.mark.parametrize(
    ("size0", "size1", "size"),
    [
        ((1920, 1080), (1280, 720), (2560, 720)),
        ((640, 480), (1280, 721), (2238, 480)),
        ((100, 51), (100, 51), (196, 50)),
    ],
)
def test_the_lower_one_decides_the_height_and_shapes_stay(
    size0: tuple[int, int], size1: tuple[int, int], size: tuple[int, int]
) -> None:
    joiner = SideBySide(size0, size1)
    assert joiner.height == size[1]
    shapes = sum(width / height for width, height in (size0, size1))
    assert joiner.width == pytest.approx(shapes * joiner.height, abs=2)
    assert (joiner.width % 2, joiner.height % 2) == (0, 0)
    into = new_planes(joiner.width, joiner.height)
    views = [
        plain(width & ~1, height & ~1, level)
        for (width, height), level in ((size0, 90), (size1, 200))
    ]
    joiner.stitch(views[0], views[1], into)
    assert np.unique(into.y).tolist() == [90, 200]
