from __future__ import annotations

from functools import cache

import cv2
import numpy as np
import pytest

from support.scenes import Grey, TwoCameras, two_cameras
from touchline.studio.errors import StudioError
from touchline.studio.stitching.calibration import calibrate
from touchline.studio.stitching.geometry import Pair
from touchline.studio.stitching.matching import NONE, Matches, match, pool_matches

SIZE = (960, 540)


@cache
def found(apart_deg: float, k1: float, roll_deg: float) -> tuple[TwoCameras, Matches]:
    cameras = two_cameras(*SIZE, apart_deg=apart_deg, k1=k1, roll_deg=roll_deg)
    return cameras, pool_matches([match(*cameras.pictures(seed=seed)) for seed in (1, 2)])


def seam_error_px(estimated: Pair, true: Pair) -> float:
    """How far off camera 0's pixels land in camera 1, where both see: the 95th percentile."""
    x, y = np.meshgrid(np.arange(0, SIZE[0], 10.0), np.arange(0, SIZE[1], 10.0))
    pixels = np.stack([x, y], axis=-1)
    right, there = true.cam0_to_cam1(pixels), estimated.cam0_to_cam1(pixels)
    both = (right[..., 0] >= 0) & (right[..., 0] < SIZE[0])
    both &= (right[..., 1] >= 0) & (right[..., 1] < SIZE[1])
    return float(np.quantile(np.linalg.norm(right - there, axis=-1)[both], 0.95))


@pytest.mark.parametrize(
    ("apart_deg", "k1", "roll_deg"),
    [
        (55, -0.12, 1.5),
        pytest.param(48, 0.0, 0.0, marks=pytest.mark.slow),
        pytest.param(62, -0.2, -3.0, marks=pytest.mark.slow),
        pytest.param(58, -0.05, 4.0, marks=pytest.mark.slow),
    ],
)
def test_the_cameras_are_found_to_a_fraction_of_a_pixel(
    apart_deg: float, k1: float, roll_deg: float
) -> None:
    cameras, matches = found(apart_deg, k1, roll_deg)
    fit = calibrate(matches, SIZE, SIZE)
    assert seam_error_px(fit.pair, cameras.pair) < 0.75
    assert fit.quality.score >= 0.7
    assert fit.quality.words in {"good", "excellent"}
    assert fit.quality.reprojection_error_px < 1.5


@pytest.mark.slow
def test_the_right_camera_may_be_number_0() -> None:
    cameras = two_cameras(*SIZE)
    left, right = cameras.pictures()
    fit = calibrate(match(right, left), SIZE, SIZE)
    pixels = np.array([[[700.0, 200.0], [850.0, 400.0]]])
    assert np.abs(fit.pair.cam1_to_cam0(pixels) - cameras.pair.cam0_to_cam1(pixels)).max() < 1.0


def test_a_darker_and_noisy_camera_is_matched_all_the_same() -> None:
    cameras = two_cameras(*SIZE)
    left, right = cameras.pictures()
    noise = np.random.default_rng(3).normal(0, 6, right.shape)
    dim = np.clip(right * 0.6 + noise, 0, 255).astype(np.uint8)
    fit = calibrate(match(left, dim), SIZE, SIZE)
    assert seam_error_px(fit.pair, cameras.pair) < 1.0


def test_wrong_matches_do_no_harm() -> None:
    cameras, matches = found(55, -0.12, 1.5)
    rng = np.random.default_rng(5)
    wrong = Matches(rng.uniform(0, 500, (len(matches), 2)), rng.uniform(0, 500, (len(matches), 2)))
    mixed = Matches(
        np.concatenate([matches.points0, wrong.points0]),
        np.concatenate([matches.points1, wrong.points1]),
    )
    fit = calibrate(mixed, SIZE, SIZE)
    assert seam_error_px(fit.pair, cameras.pair) < 0.75
    assert fit.quality.inlier_ratio < 0.6


@pytest.mark.slow
def test_another_picture_size_of_the_second_camera_is_no_trouble() -> None:
    cameras = two_cameras(*SIZE)
    left, right = cameras.pictures()
    small = np.asarray(cv2.resize(right, (640, 360), interpolation=cv2.INTER_AREA), np.uint8)
    fit = calibrate(match(left, small), SIZE, (640, 360))
    assert fit.pair.lens1.width == 640
    assert fit.quality.reprojection_error_px < 2.5


def test_a_clock_that_both_cameras_burn_in_misleads_nobody() -> None:
    cameras = two_cameras(*SIZE)
    left, right = (picture.copy() for picture in cameras.pictures())
    for picture in (left, right):
        for row in range(6):
            text = f"CAMERA 2026-11-26 19:30:{row:02d} LEFT RIGHT {row * 7}"
            place = (10, 40 + 60 * row)
            cv2.putText(picture, text, place, cv2.FONT_HERSHEY_SIMPLEX, 0.8, 235, 2)
    fit = calibrate(match(left, right), SIZE, SIZE)
    assert seam_error_px(fit.pair, cameras.pair) < 1.0


def blank() -> Grey:
    return np.full((SIZE[1], SIZE[0]), 90, np.uint8)


def test_pictures_without_anything_in_them_say_what_to_do() -> None:
    with pytest.raises(StudioError) as caught:
        calibrate(match(blank(), blank()), SIZE, SIZE)
    assert caught.value.code == "too_few_matches"
    assert "15 to 40 %" in caught.value.advice


def test_views_that_share_nothing_are_refused() -> None:
    left, _ = two_cameras(*SIZE).pictures(seed=1)
    _, right = two_cameras(*SIZE).pictures(seed=9)
    with pytest.raises(StudioError) as caught:
        calibrate(match(left, right), SIZE, SIZE)
    assert caught.value.code in {"too_few_matches", "no_agreement", "overlap", "poor_fit"}
    assert caught.value.advice


@pytest.mark.slow
def test_views_that_share_nearly_everything_are_refused() -> None:
    cameras = two_cameras(*SIZE, apart_deg=12)
    with pytest.raises(StudioError) as caught:
        calibrate(match(*cameras.pictures()), SIZE, SIZE)
    assert caught.value.code == "overlap"
    assert "%" in caught.value.message


def test_points_marked_by_hand_are_enough_where_nothing_else_is_found() -> None:
    cameras = two_cameras(*SIZE, k1=0.0)
    x, y = np.meshgrid([700.0, 780.0, 860.0, 930.0], [60.0, 200.0, 340.0, 480.0])
    marked = np.stack([x, y], axis=-1).reshape(-1, 2)
    by_hand = Matches(marked, cameras.pair.cam0_to_cam1(marked))
    fit = calibrate(NONE, SIZE, SIZE, manual=by_hand)
    assert seam_error_px(fit.pair, cameras.pair) < 3.0
