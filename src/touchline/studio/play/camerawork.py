"""A virtual camera's path that is pleasant to watch: slow to start, steady, without haste.

Play within the dead zone exerts no pull; beyond it the pull grows. Future positions pull as well as
past ones, so the camera moves before the long ball does. First, single wrong detections are removed
by a running median, then the smoothest path through the rest is solved as a whole (P. Eilers, "A
perfect smoother", 2003), and finally speed and acceleration are limited.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy.linalg import solveh_banded
from scipy.ndimage import gaussian_filter1d, median_filter

from touchline.studio.stitching.geometry import Floats

_ROUNDS = 12
_VOTE_S = 1.5
_HAND_WEIGHT = 400.0
_HAND_S, _HAND_HOLDS_S = 2.5, 1.0


@dataclass(frozen=True)
class Manner:
    """Limits of the camera's movement; lengths are fractions of the picture's width."""

    dead_zone: float = 0.03
    max_speed: float = 0.22
    """Per second."""
    max_acceleration: float = 0.20
    """Per second squared."""
    smooth_s: float = 0.8
    """Faster movements than this are not followed."""


@dataclass(frozen=True)
class CameraKeyframe:
    """Manual camera position at a time."""

    at_s: float
    x: float
    y: float = 0.5


def path(
    times_s: Floats,
    targets: Floats,
    weights: Floats,
    manner: Manner,
    *,
    bounds: tuple[float, float],
    by_hand: Sequence[tuple[float, float]] = (),
) -> Floats:
    """Return the camera's position at each of these evenly spaced times.

    `targets` are positions of the play and `weights` their confidence. `by_hand` are (time,
    position) pairs that override them for two seconds around. The result never exceeds `bounds`.
    """
    count = len(times_s)
    if count == 0:
        return np.empty(0)
    step_s = float(times_s[1] - times_s[0]) if count > 1 else 1.0
    votes = _smooth_targets(np.clip(targets, *bounds), weights, step_s)
    wanted, pull = _with_hand(times_s, votes, weights.copy(), by_hand)
    if not pull.any():
        return np.full(count, sum(bounds) / 2)
    found = _solve_path(wanted, pull, (manner.smooth_s / step_s) ** 6, manner.dead_zone)
    return np.clip(_limit_speed(found, step_s, manner), *bounds)


def _smooth_targets(targets: Floats, weights: Floats, step_s: float) -> Floats:
    """Return the running median of detections, interpolated where nothing was detected."""
    seen = np.flatnonzero(weights > 0)
    if not len(seen):
        return targets
    filled = np.interp(np.arange(len(targets)), seen, targets[seen])
    return np.asarray(median_filter(filled, size=int(_VOTE_S / step_s) | 1, mode="nearest"))


def _with_hand(
    times_s: Floats, targets: Floats, weights: Floats, by_hand: Sequence[tuple[float, float]]
) -> tuple[Floats, Floats]:
    targets = targets.copy()
    for at_s, place in by_hand:
        away = np.abs(times_s - at_s)
        weights[away < _HAND_S] = 0.0
        held = away <= _HAND_HOLDS_S
        targets[held], weights[held] = place, _HAND_WEIGHT
    return targets, weights


def _solve_path(targets: Floats, weights: Floats, stiffness: float, dead_zone: float) -> Floats:
    """Return the smoothest path; targets within its dead zone do not pull."""
    count = len(targets)
    pull = weights.copy()
    found = targets
    for _ in range(_ROUNDS):
        found = _smooth(targets, pull, stiffness)
        away = np.abs(targets - found)
        eased = np.where(away > dead_zone, 1 - dead_zone / np.maximum(away, 1e-9), 0.02)
        pull = weights * eased
        if count < 4:
            break
    return found


def _smooth(targets: Floats, weights: Floats, stiffness: float) -> Floats:
    """Minimise the weighted distance and the third differences, as a banded system."""
    count = len(targets)
    if count < 4:
        return np.full(count, float(np.average(targets, weights=np.maximum(weights, 1e-9))))
    kernel = np.array([-1.0, 3.0, -3.0, 1.0])
    bands = np.zeros((4, count))
    for first in range(4):
        for second in range(first, 4):
            length = count - 3
            bands[3 - (second - first), second : second + length] += kernel[first] * kernel[second]
    bands *= stiffness
    bands[3] += weights + 1e-6
    return np.asarray(solveh_banded(bands, weights * targets + 1e-6 * targets.mean()))


def _limit_speed(found: Floats, step_s: float, manner: Manner) -> Floats:
    """Limit the speed and acceleration of a path.

    A speed within plus and minus v that is blurred with a Gaussian of width s changes by no more
    than 2v / (s sqrt(2 pi)), which gives the width for the allowed acceleration.
    """
    most = manner.max_speed * step_s
    ways = []
    for way in (found, found[::-1]):
        out = way.copy()
        for n in range(1, len(out)):
            out[n] = out[n - 1] + np.clip(way[n] - out[n - 1], -most, most)
        ways.append(out)
    slow = (ways[0] + ways[1][::-1]) / 2
    blur_s = 2 * manner.max_speed / (manner.max_acceleration * np.sqrt(2 * np.pi))
    return np.asarray(gaussian_filter1d(slow, blur_s / step_s, mode="nearest"))
