from __future__ import annotations

from functools import cache
from itertools import pairwise, product

import cv2
import numpy as np
import pytest

from support.scenes import Grey, TwoCameras, sampled, two_cameras
from touchline.studio.pictures.planes import Planes, new_frame, new_planes
from touchline.studio.stitching.geometry import Canvas, Lens, Pair, canvas_for, rotation_of
from touchline.studio.stitching.stitcher import Stitcher


@cache
def cameras() -> TwoCameras:
    return two_cameras(960, 540)


def planes(luma: Grey, *, u: int = 128, v: int = 128) -> Planes:
    made = new_planes(luma.shape[1], luma.shape[0])
    made.y[:] = luma
    made.u[:], made.v[:] = u, v
    return made


def truth(canvas: Canvas) -> Grey:
    columns, rows = np.arange(canvas.width, dtype=float), np.arange(canvas.height, dtype=float)
    rays = canvas.directions(columns, rows) @ rotation_of(cameras().first_turn)
    return sampled(rays / np.linalg.norm(rays, axis=-1, keepdims=True))


def inner(picture: Grey) -> Grey:
    """Without the edges, where corners are black."""
    height, width = picture.shape
    return picture[height // 20 : -height // 20, width // 12 : -width // 12]


@pytest.mark.parametrize("swapped", [False, True])
def test_the_panorama_shows_the_world_as_it_is(swapped: bool) -> None:  # noqa: FBT001
    pair = cameras().pair
    left, right = (planes(picture) for picture in cameras().pictures())
    canvas = canvas_for(pair)
    if swapped:  # the right camera is number 0
        x, y, z = (float(v) for v in np.asarray(cv2.Rodrigues(pair.rotation.T)[0]).reshape(-1))
        pair = Pair(pair.lens1, pair.lens0, (x, y, z))
        canvas = Canvas(**{**canvas.__dict__, "level": cameras().pair.rotation @ canvas.level})
        left, right = right, left
    _, into = new_frame(canvas.width, canvas.height)
    Stitcher(pair, canvas).stitch(left, right, into)
    expected = truth(canvas_for(cameras().pair))
    off = np.abs(inner(into.y).astype(int) - inner(expected).astype(int))
    assert off.mean() < 2.0
    assert np.quantile(off, 0.99) < 20


def test_both_views_come_out_equally_bright() -> None:
    first, second = cameras().pictures()
    dim = np.clip((second.astype(float) - 16) * 0.7 + 16, 0, 255).astype(np.uint8)
    canvas = canvas_for(cameras().pair)
    stitcher = Stitcher(cameras().pair, canvas)
    _, into = new_frame(canvas.width, canvas.height)
    stitcher.stitch(planes(first), planes(dim), into)
    assert stitcher.gains[1] / stitcher.gains[0] == pytest.approx(1 / 0.7, rel=0.04)
    expected = (truth(canvas).astype(float) - 16) * stitcher.gains[0] + 16
    off = np.abs(inner(into.y) - inner(np.clip(expected, 0, 255)))
    assert off.mean() < 2.5


def test_brightness_is_followed_slowly_so_that_nothing_flickers() -> None:
    first, second = (planes(picture) for picture in cameras().pictures())
    stitcher = Stitcher(cameras().pair, canvas_for(cameras().pair))
    _, into = new_frame(stitcher.canvas.width, stitcher.canvas.height)
    stitcher.stitch(first, second, into)
    dark = planes(np.clip((second.y.astype(float) - 16) * 0.6 + 16, 0, 255).astype(np.uint8))
    ratios = []
    for _ in range(120):
        stitcher.stitch(first, dark, into)
        ratios.append(stitcher.gains[1] / stitcher.gains[0])
    assert max(b / a for a, b in pairwise(ratios)) < 1.15
    assert ratios[-1] == pytest.approx(1 / 0.6, rel=0.15)


def test_colours_stay_where_they_are() -> None:
    first, second = cameras().pictures()
    canvas = canvas_for(cameras().pair)
    _, into = new_frame(canvas.width, canvas.height)
    left, right = planes(first, u=90, v=200), planes(second, u=90, v=200)
    Stitcher(cameras().pair, canvas).stitch(left, right, into)
    assert abs(int(np.median(into.u)) - 90) <= 1
    assert abs(int(np.median(into.v)) - 200) <= 1


def test_a_black_view_leaves_the_other_one_alone() -> None:
    first, _ = cameras().pictures()
    canvas = canvas_for(cameras().pair)
    _, into = new_frame(canvas.width, canvas.height)
    stitcher = Stitcher(cameras().pair, canvas)
    stitcher.stitch(planes(first), new_planes(960, 540), into)
    assert stitcher.gains == (1.0, 1.0)
    assert into.y[:, stitcher.seam.stop + 4 :].max() == 16
    expected = truth(canvas)[:, 200 : stitcher.seam.start - 4]
    seen = into.y[:, 200 : stitcher.seam.start - 4]
    assert np.abs(seen[30:-30].astype(int) - expected[30:-30].astype(int)).mean() < 2.0


def test_every_pixel_is_written_whatever_was_there_before() -> None:
    first, second = (planes(picture) for picture in cameras().pictures())
    canvas = canvas_for(cameras().pair)
    results = []
    for before in (0, 255):
        _, into = new_frame(canvas.width, canvas.height)
        into.y[:], into.u[:], into.v[:] = before, before, before
        Stitcher(cameras().pair, canvas).stitch(first, second, into)
        results.append((into.y.copy(), into.u.copy(), into.v.copy()))
    assert all((a == b).all() for a, b in zip(*results, strict=True))


def test_a_view_that_is_only_shifted_is_copied_exactly() -> None:
    lens = Lens(320, 180, 400.0)
    canvas = Canvas(320, 180, "plane", 400.0, 159.5, 89.5, np.eye(3))
    other = Pair(lens, lens, (0.0, np.radians(40), 0.0))
    rng = np.random.default_rng(1)
    picture = rng.integers(16, 235, (180, 320), dtype=np.uint8)
    left = planes(picture)
    left.u[:] = rng.integers(60, 200, (90, 160), dtype=np.uint8)
    _, into = new_frame(320, 180)
    stitcher = Stitcher(other, canvas)
    stitcher.stitch(left, new_planes(320, 180), into)
    columns = slice(0, stitcher.seam.start)
    assert (into.y[:, columns] == picture[:, columns]).all()


@pytest.mark.parametrize(("size", "projection"), list(product([1, 96, 400], ["cylindrical"])))
def test_any_width_of_the_seam_works(size: int, projection: str) -> None:
    first, second = (planes(picture) for picture in cameras().pictures())
    canvas = canvas_for(cameras().pair, projection=projection)  # type: ignore[arg-type]
    _, into = new_frame(canvas.width, canvas.height)
    Stitcher(cameras().pair, canvas, blend_px=size).stitch(first, second, into)
    off = np.abs(inner(into.y).astype(int) - inner(truth(canvas)).astype(int))
    assert off.mean() < 2.0
