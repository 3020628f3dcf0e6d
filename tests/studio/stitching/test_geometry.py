from __future__ import annotations

import numpy as np
import pytest

from support.scenes import two_cameras
from touchline.studio.stitching.geometry import Lens, Pair, canvas_for

LENS = Lens(1920, 1080, 1250.0, -0.12, 0.02)


def grid(lens: Lens) -> np.ndarray:
    x, y = np.meshgrid(np.linspace(0, lens.width - 1, 25), np.linspace(0, lens.height - 1, 15))
    return np.stack([x, y], axis=-1)


def test_a_pixels_direction_is_seen_at_that_pixel() -> None:
    pixels = grid(LENS)
    assert np.abs(LENS.project(LENS.directions(pixels)) - pixels).max() < 1e-3


def test_what_lies_behind_a_camera_is_seen_nowhere() -> None:
    assert np.isnan(LENS.project(np.array([[0.0, 0.0, -1.0], [0.0, 0.0, 0.0]]))).all()


def test_a_bent_lens_shows_nothing_twice() -> None:
    strong = Lens(1920, 1080, 800.0, -0.3)
    sideways = np.array([[np.tan(angle), 0.0, 1.0] for angle in np.radians(range(0, 89, 4))])
    seen = strong.project(sideways)[:, 0]
    seen = seen[np.isfinite(seen)]
    assert (np.diff(seen) > 0).all()


def test_both_ways_between_the_cameras_agree() -> None:
    pair = two_cameras().pair
    pixels = grid(pair.lens0)
    there = pair.cam0_to_cam1(pixels)
    both = (there[..., 0] > 0) & (there[..., 0] < pair.lens1.width - 1)
    assert np.abs(pair.cam1_to_cam0(there)[both] - pixels[both]).max() < 1e-2


def test_a_pair_survives_json() -> None:
    pair = two_cameras().pair
    assert Pair.from_json(pair.to_json()) == pair


@pytest.mark.parametrize("projection", ["cylindrical", "plane"])
def test_the_canvas_places_a_direction_where_it_looks(projection: str) -> None:
    pair = two_cameras(apart_deg=40, field_deg=60).pair
    canvas = canvas_for(pair, projection=projection)  # type: ignore[arg-type]
    columns = np.linspace(0, canvas.width - 1, 20)
    rows = np.linspace(0, canvas.height - 1, 10)
    placed = canvas.place(canvas.directions(columns, rows))
    assert np.abs(placed[..., 0] - columns[None, :]).max() < 1e-6
    assert np.abs(placed[..., 1] - rows[:, None]).max() < 1e-6


def test_the_canvas_is_as_wide_as_both_pictures_less_what_they_share_and_even() -> None:
    canvas = canvas_for(two_cameras(1920, 1080, apart_deg=55).pair)
    assert 2900 <= canvas.width <= 3400
    assert canvas.width % 2 == canvas.height % 2 == 0
    # About as fine as the cameras: neither invents pixels nor throws many away.
    assert 0.85 < canvas.scale_px / two_cameras(1920, 1080).pair.lens0.focal_px < 1.25


def test_a_level_horizon_stays_level() -> None:
    cameras = two_cameras(roll_deg=0.0)
    canvas = canvas_for(cameras.pair)
    from touchline.studio.stitching.geometry import rotation_of

    world_to_cam0 = rotation_of(cameras.first_turn)
    angles = np.radians(np.linspace(-40, 40, 9))
    horizon = np.stack([np.sin(angles), np.zeros(9), np.cos(angles)], axis=-1)
    rows = canvas.place(horizon @ world_to_cam0.T)[:, 1]
    assert rows.max() - rows.min() < 1.0


def test_views_too_far_apart_for_a_plane_are_refused() -> None:
    with pytest.raises(ValueError, match="cylinder"):
        canvas_for(two_cameras(field_deg=90, apart_deg=70).pair, projection="plane")
