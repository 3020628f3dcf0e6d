"""A simulated match: positions of players and ball at any time, and the views of two cameras.

Standard library only and pure functions of time, so that two cameras, each in a process of its own,
film the same play. Lengths are metres, z is up; the pitch is centred at the origin, x along it, and
the mast stands behind the touchline at negative y. Calibration, stitching and the cut that follows
the play are measured against these exact values.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

LENGTH_M, BREADTH_M = 105.0, 68.0
PLAYERS = 22
REFEREE = 22
"""Index after the players of both teams: even ones play to the right, odd ones to the left."""

MAST_M = (0.0, -52.0, 9.0)
OVERLAP = 0.25
_FIELD_DEG = 75.0
_PITCH_DEG = 11.0
_K1, _K2 = -0.12, 0.02
_LEG_S = 7.0
"""Average duration of a pass."""

Point = tuple[float, float, float]


@dataclass(frozen=True)
class View:
    """A simulated camera: its picture, its lens (Brown's k1 and k2) and its orientation.

    `axes` are the camera's x (right), y (down) and z (ahead) in the world. `gain` is the brightness
    of its picture.
    """

    width: int
    height: int
    focal_px: float
    k1: float
    k2: float
    position_m: Point
    axes: tuple[Point, Point, Point]
    gain: float = 1.0

    def project(self, point: Point) -> tuple[float, float, float] | None:
        """Return column, row and pixels per metre at a point; None if it is not ahead."""
        away = tuple(p - c for p, c in zip(point, self.position_m, strict=True))
        x, y, z = (sum(a * b for a, b in zip(axis, away, strict=True)) for axis in self.axes)
        if z < 1.0:
            return None
        flat_x, flat_y = x / z, y / z
        r2 = flat_x * flat_x + flat_y * flat_y
        if r2 > 3.0 or 1 + 3 * self.k1 * r2 + 5 * self.k2 * r2 * r2 < 0.05:
            return None
        bend = 1 + self.k1 * r2 + self.k2 * r2 * r2
        return (
            (self.width - 1) / 2 + self.focal_px * flat_x * bend,
            (self.height - 1) / 2 + self.focal_px * flat_y * bend,
            self.focal_px / z,
        )


def view(side: str, width: int, height: int, *, overlap: float = OVERLAP) -> View:
    """Return the `left` or `right` camera of the mast; both see an `overlap` of a picture."""
    focal_px = width / 2 / math.tan(math.radians(_FIELD_DEG) / 2)
    # The middle of the overlap is the middle of the pitch.
    edge = math.atan(math.tan(math.radians(_FIELD_DEG) / 2) * (1 - 2 * overlap) * 0.98)
    half = (edge + math.radians(_FIELD_DEG) / 2) / 2
    left = side == "left"
    yaw = -half if left else half
    pitch = math.radians(_PITCH_DEG + (0.4 if left else -0.3))
    roll = math.radians(0.6 if left else -0.9)
    return View(
        width,
        height,
        focal_px,
        _K1,
        _K2,
        MAST_M,
        _axes(yaw, pitch, roll),
        gain=1.0 if left else 0.85,
    )


def ball_m(seconds: float) -> Point:
    """Return the position of the ball at this time."""
    leg, part = divmod(seconds / _LEG_S, 1.0)
    start, end = _place(int(leg)), _place(int(leg) + 1)
    eased = part * part * (3 - 2 * part)
    far = math.hypot(end[0] - start[0], end[1] - start[1])
    height = max(0.0, far - 30.0) * 0.25 * math.sin(math.pi * part)
    wobble = 0.6 * math.sin(seconds * 2.9)
    return (
        start[0] + (end[0] - start[0]) * eased + wobble,
        start[1] + (end[1] - start[1]) * eased + 0.5 * math.sin(seconds * 2.3),
        0.11 + height,
    )


def players_m(seconds: float) -> list[tuple[float, float]]:
    """Return the positions (x, y) of the players and the referee at this time."""
    _, ball_y, _ = ball_m(seconds)
    slow_x, _, _ = ball_m(seconds - 1.5)
    found = []
    for number in range(PLAYERS):
        home_x, home_y = _home(number)
        pull = (0.02, 0.38, 0.38, 0.42, 0.42, 0.55, 0.62, 0.66, 0.6, 0.7, 0.66)[number // 2]
        x = home_x + (slow_x - home_x) * pull + 1.8 * math.sin(seconds * 0.9 + number * 1.7)
        y = home_y + (ball_y - home_y) * pull * 0.55 + 1.6 * math.sin(seconds * 0.7 + number * 2.3)
        found.append((_clamp(x, LENGTH_M), _clamp(y, BREADTH_M)))
    referee = (slow_x * 0.9 + 4 * math.sin(seconds * 0.5), ball_y * 0.6 - 7)
    return [*found, (_clamp(referee[0], LENGTH_M), _clamp(referee[1], BREADTH_M))]


def _home(number: int) -> tuple[float, float]:
    place = number // 2
    depth = (-48, -32, -32, -34, -34, -14, -15, -12, 4, 6, 2)[place]
    breadth = (0, -24, 24, -8, 8, -20, 20, 0, -14, 14, 0)[place]
    return (float(depth), float(breadth)) if number % 2 == 0 else (-float(depth), -float(breadth))


def _place(leg: int) -> tuple[float, float]:
    """Return the target of a pass; every fourth one goes to the other end."""
    noise = math.sin(leg * 12.9898) * 43758.5453
    first = noise - math.floor(noise)
    noise = math.sin(leg * 78.233 + 1.3) * 24634.6345
    second = noise - math.floor(noise)
    end = 1 if (leg // 4) % 2 == 0 else -1
    return end * (6 + 40 * first), (second - 0.5) * 54


def _clamp(value: float, extent: float) -> float:
    return max(-extent / 2 - 1, min(extent / 2 + 1, value))


def _axes(yaw: float, pitch: float, roll: float) -> tuple[Point, Point, Point]:
    """Return axes turned right by yaw from straight across, down by pitch, then rolled."""
    ahead = (math.sin(yaw) * math.cos(pitch), math.cos(yaw) * math.cos(pitch), -math.sin(pitch))
    level = (math.cos(yaw), -math.sin(yaw), 0.0)
    down = _cross(ahead, level)
    cosine, sine = math.cos(roll), math.sin(roll)
    right = tuple(cosine * a + sine * b for a, b in zip(level, down, strict=True))
    below = tuple(cosine * b - sine * a for a, b in zip(level, down, strict=True))
    return (_point(right), _point(below), ahead)


def _point(values: tuple[float, ...]) -> Point:
    x, y, z = values
    return (x, y, z)


def _cross(a: Point, b: Point) -> Point:
    return (
        a[1] * b[2] - a[2] * b[1],
        a[2] * b[0] - a[0] * b[2],
        a[0] * b[1] - a[1] * b[0],
    )
