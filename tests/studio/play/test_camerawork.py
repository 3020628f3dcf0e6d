from __future__ import annotations

import numpy as np
import pytest

from touchline.studio.play.camerawork import Manner, path

RATE_HZ = 10.0
MANNER = Manner()
BOUNDS = (0.28, 0.72)


def times(seconds: float) -> np.ndarray:
    return np.arange(int(seconds * RATE_HZ)) / RATE_HZ


def swung(targets: np.ndarray, **more: object) -> np.ndarray:
    at = times(len(targets) / RATE_HZ)
    return path(at, targets, np.full(len(at), 0.6), MANNER, bounds=BOUNDS, **more)  # type: ignore[arg-type]


def speed(found: np.ndarray) -> np.ndarray:
    return np.asarray(np.diff(found) * RATE_HZ)


def test_a_play_that_stays_in_the_dead_zone_is_not_followed() -> None:
    rng = np.random.default_rng(1)
    found = swung(0.5 + rng.normal(0, 0.012, 600))
    assert found.max() - found.min() < 0.02


def test_a_long_ball_is_met_before_it_lands() -> None:
    targets = np.concatenate([np.full(100, 0.35), np.full(100, 0.65)])
    found = swung(targets)
    assert found[0] == pytest.approx(0.35, abs=0.04)
    assert found[-1] == pytest.approx(0.65, abs=0.04)
    assert found[97] > 0.42  # on its way already
    assert np.abs(speed(found)).max() <= MANNER.max_speed * 1.01


def test_it_is_never_in_a_hurry_whatever_happens() -> None:
    rng = np.random.default_rng(2)
    found = swung(rng.uniform(0, 1, 900))
    assert np.abs(speed(found)).max() <= MANNER.max_speed * 1.01
    assert np.abs(np.diff(found, 2)).max() * RATE_HZ**2 <= MANNER.max_acceleration * 1.5


def test_a_single_wrong_sighting_moves_nothing() -> None:
    targets = np.full(300, 0.4)
    targets[150:153] = 0.7
    found = swung(targets)
    assert np.abs(found - 0.4).max() < 0.04


def test_it_stays_where_the_picture_is() -> None:
    found = swung(np.concatenate([np.zeros(200), np.ones(200)]))
    assert found.min() >= BOUNDS[0]
    assert found.max() <= BOUNDS[1]


def test_a_person_outranks_what_was_seen() -> None:
    found = swung(np.full(400, 0.35), by_hand=[(20.0, 0.62)])
    assert found[200] == pytest.approx(0.62, abs=0.05)
    assert found[0] == pytest.approx(0.35, abs=0.05)
    assert found[-1] == pytest.approx(0.35, abs=0.05)


def test_without_anything_seen_it_rests_in_the_middle() -> None:
    at = times(10)
    found = path(at, np.full(len(at), 0.9), np.zeros(len(at)), MANNER, bounds=BOUNDS)
    assert np.allclose(found, 0.5)
    assert len(path(times(0), np.empty(0), np.empty(0), MANNER, bounds=BOUNDS)) == 0


def test_ninety_minutes_are_solved_at_once() -> None:
    at = times(5400)
    targets = 0.5 + 0.2 * np.sin(at / 17)
    found = path(at, targets, np.full(len(at), 0.6), MANNER, bounds=BOUNDS)
    assert np.abs(found - targets).mean() < 0.05
