"""A world painted on a sphere, and cameras that look at it: every pixel's truth is known."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import cv2
import numpy as np
import numpy.typing as npt

from touchline.studio.stitching.geometry import Floats, Lens, Pair, rotation_of

Grey = npt.NDArray[np.uint8]

_WORLD = (4096, 2048)


@cache
def world(seed: int = 1) -> Grey:
    """A texture of many sizes, all around: columns are longitude, rows latitude."""
    rng = np.random.default_rng(seed)
    width, height = _WORLD
    picture = np.zeros((height, width), np.float32)
    for cell in (8, 16, 32, 128):
        noise = rng.standard_normal((height // cell, width // cell)).astype(np.float32)
        picture += cv2.resize(noise, _WORLD, interpolation=cv2.INTER_CUBIC) * cell**0.4
    for _ in range(3000):
        x, y = int(rng.integers(width)), int(rng.integers(height))
        w, h = (int(v) for v in rng.integers(6, 40, 2))
        cv2.rectangle(picture, (x, y), (x + w, y + h), float(rng.normal(0, 6)), -1)
    low, high = np.quantile(picture, [0.01, 0.99])
    levels = np.clip((picture - low) / (high - low) * 219 + 16, 16, 235)
    return np.asarray(levels.astype(np.uint8))


def look(lens: Lens, turn: tuple[float, float, float], *, seed: int = 1) -> Grey:
    """What a camera sees that is turned like this against the world."""
    x, y = np.meshgrid(np.arange(lens.width), np.arange(lens.height))
    rays = lens.directions(np.stack([x, y], axis=-1).astype(np.float64)) @ rotation_of(turn)
    return sampled(rays, seed=seed)


def sampled(rays: Floats, *, seed: int = 1) -> Grey:
    """The world in these directions."""
    longitude = np.arctan2(rays[..., 0], rays[..., 2])
    latitude = np.arcsin(np.clip(rays[..., 1], -1, 1))
    map_x = ((longitude / (2 * np.pi) + 0.5) * _WORLD[0] - 0.5).astype(np.float32)
    map_y = ((latitude / np.pi + 0.5) * _WORLD[1] - 0.5).astype(np.float32)
    return np.asarray(cv2.remap(world(seed), map_x, map_y, cv2.INTER_LINEAR), np.uint8)


@dataclass(frozen=True)
class TwoCameras:
    """A pair that is turned apart, and how camera 0 is turned against the world."""

    pair: Pair
    first_turn: tuple[float, float, float]

    def pictures(self, *, seed: int = 1) -> tuple[Grey, Grey]:
        """What both see."""
        second = self.pair.rotation @ rotation_of(self.first_turn)
        x, y, z = (float(v) for v in np.asarray(cv2.Rodrigues(second)[0]).reshape(-1))
        return (
            look(self.pair.lens0, self.first_turn, seed=seed),
            look(self.pair.lens1, (x, y, z), seed=seed),
        )


def two_cameras(
    width: int = 960,
    height: int = 540,
    *,
    field_deg: float = 75.0,
    apart_deg: float = 55.0,
    k1: float = -0.12,
    roll_deg: float = 1.5,
) -> TwoCameras:
    """Two alike, side by side, that look down a little."""
    focal = width / 2 / float(np.tan(np.radians(field_deg) / 2))
    lens = Lens(width, height, focal, k1, 0.02)
    pitch = rotation_of((np.radians(-12.0), 0, 0))
    left = pitch @ rotation_of((0, np.radians(apart_deg / 2), 0))
    right = pitch @ rotation_of((0, np.radians(-apart_deg / 2), 0))
    right = rotation_of((0, 0, np.radians(roll_deg))) @ right
    between = right @ left.T
    turn = tuple(float(v) for v in np.asarray(cv2.Rodrigues(between)[0]).reshape(-1))
    first = tuple(float(v) for v in np.asarray(cv2.Rodrigues(left)[0]).reshape(-1))
    return TwoCameras(Pair(lens, lens, turn), first)  # type: ignore[arg-type]
