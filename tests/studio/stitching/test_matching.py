from __future__ import annotations

from functools import cache

import cv2
import numpy as np

from support.scenes import TwoCameras, two_cameras
from touchline.studio.stitching.matching import (
    Matches,
    match,
    pool_matches,
    remove_overlays,
    sharpness,
)

SIZE = (480, 270)


@cache
def found() -> tuple[TwoCameras, Matches]:
    cameras = two_cameras(*SIZE, apart_deg=50, roll_deg=1.5)
    return cameras, pool_matches([match(*cameras.pictures(seed=seed)) for seed in (1, 2)])


def test_a_spot_that_stands_still_does_not_outweigh_the_rest() -> None:
    _, matches = found()
    assert len(pool_matches([matches] * 10)) <= 3 * len(matches)
    assert len(pool_matches([])) == 0


def test_what_both_see_is_matched_to_a_pixel() -> None:
    cameras, matches = found()
    there = cameras.pair.cam0_to_cam1(matches.points0[None])[0]
    off = np.linalg.norm(there - matches.points1, axis=1)
    assert len(matches) > 50
    assert np.median(off[np.isfinite(off)]) < 1.5


def test_pictures_without_anything_in_them_have_no_matches() -> None:
    flat = np.full((200, 300), 90, np.uint8)
    assert len(match(flat, flat)) == 0


def test_what_a_camera_writes_into_its_picture_is_no_match() -> None:
    same = np.array([[10.0, 10.0], [50.0, 80.0]])
    moved = same + np.array([[0.5, 0.0], [40.0, 0.0]])
    kept = remove_overlays(Matches(same, moved), (100, 100), (100, 100))
    assert kept.points0.tolist() == [[50.0, 80.0]]


def test_a_blurred_picture_is_less_sharp() -> None:
    cameras, _ = found()
    picture, _ = cameras.pictures(seed=1)
    blurred = cv2.GaussianBlur(picture, (0, 0), 5)
    assert sharpness(picture) > 10 * sharpness(np.asarray(blurred, np.uint8))
