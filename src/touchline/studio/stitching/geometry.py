"""Geometry of two cameras at one place: from pixels of one to the other and to the panorama.

A direction is a vector in the frame of a camera: x to the right, y down, z ahead, as in OpenCV
(https://docs.opencv.org/5.x/d9/d0c/group__calib3d.html). Pictures are arrays of (x, y) pixels whose
centres are at integer coordinates. The distance between the two cameras is neglected: a pitch is
far away.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

import cv2
import numpy as np
import numpy.typing as npt

Floats = npt.NDArray[np.float64]
Projection = Literal["cylindrical", "plane"]

_UNDISTORT_STEPS = 12
_POINTS = 201
_WIDEST_PLANE_RAD = np.radians(120)


@dataclass(frozen=True)
class Lens:
    """Picture size and lens of a camera: focal length in pixels and radial distortion.

    The distortion is `1 + k1 r² + k2 r⁴` with r in focal lengths (Brown's model, as in OpenCV); the
    optical axis passes through the centre of the picture.
    """

    width: int
    height: int
    focal_px: float
    k1: float = 0.0
    k2: float = 0.0

    @property
    def centre(self) -> Floats:
        """Pixel of the optical axis."""
        return np.array([(self.width - 1) / 2, (self.height - 1) / 2])

    def project(self, directions: Floats) -> Floats:
        """Project directions (last axis) to pixels; NaN for those behind or beyond the lens."""
        ahead = directions[..., 2:3]
        with np.errstate(divide="ignore", invalid="ignore"):
            flat = np.where(ahead > 1e-6, directions[..., :2] / ahead, np.nan)
        r2 = np.sum(flat**2, axis=-1, keepdims=True)
        # The polynomial is not monotonic: beyond this radius it would show the world twice.
        turns = 1 + 3 * self.k1 * r2 + 5 * self.k2 * r2**2
        bent = flat * (1 + self.k1 * r2 + self.k2 * r2**2)
        seen: Floats = np.where(turns > 0.05, bent * self.focal_px + self.centre, np.nan)
        return seen

    def directions(self, pixels: Floats) -> Floats:
        """Return unit directions of pixels (last axis): the inverse of `project`, by iteration."""
        bent = (pixels - self.centre) / self.focal_px
        flat = bent.copy()
        for _ in range(_UNDISTORT_STEPS):
            r2 = np.sum(flat**2, axis=-1, keepdims=True)
            flat = bent / np.maximum(1 + self.k1 * r2 + self.k2 * r2**2, 0.1)
        rays = np.concatenate([flat, np.ones_like(flat[..., :1])], axis=-1)
        unit: Floats = rays / np.linalg.norm(rays, axis=-1, keepdims=True)
        return unit

    def scaled(self, width: int, height: int) -> Lens:
        """Return the same lens for a picture of another size."""
        return Lens(width, height, self.focal_px * width / self.width, self.k1, self.k2)


@dataclass(frozen=True)
class Pair:
    """Two lenses and the rotation between the cameras.

    `turn` is a rotation vector (axis times angle in radians) that maps directions of camera 0 to
    camera 1.
    """

    lens0: Lens
    lens1: Lens
    turn: tuple[float, float, float]

    @property
    def rotation(self) -> Floats:
        """The rotation as a 3 by 3 matrix."""
        return rotation_of(self.turn)

    def cam0_to_cam1(self, pixels: Floats) -> Floats:
        """Map pixels of camera 0 to pixels of camera 1."""
        return self.lens1.project(self.lens0.directions(pixels) @ self.rotation.T)

    def cam1_to_cam0(self, pixels: Floats) -> Floats:
        """Map pixels of camera 1 to pixels of camera 0."""
        return self.lens0.project(self.lens1.directions(pixels) @ self.rotation)

    @property
    def homography(self) -> Floats:
        """Homography from camera 1 to camera 0 as a 3 by 3 matrix, without distortion."""
        matrix: Floats = _camera_matrix(self.lens0) @ self.rotation.T @ _inverse_of(self.lens1)
        return np.asarray(matrix / matrix[2, 2])

    def to_json(self) -> dict[str, Any]:
        """Return the pair as plain JSON values."""
        return {"lens0": asdict(self.lens0), "lens1": asdict(self.lens1), "turn": list(self.turn)}

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Pair:
        """Parse the output of `to_json`. Raises KeyError, TypeError or ValueError for others."""
        x, y, z = (float(v) for v in data["turn"])
        return cls(Lens(**data["lens0"]), Lens(**data["lens1"]), (x, y, z))


@dataclass(frozen=True)
class Canvas:
    """Projection of the panorama: its size in pixels and the direction of each pixel.

    `level` rotates directions of the panorama, whose horizon is level, to directions of camera 0.
    `scale_px` is pixels per radian (a focal length, in a plane); (`centre_x`, `centre_y`) is the
    pixel that looks straight ahead.
    """

    width: int
    height: int
    projection: Projection
    scale_px: float
    centre_x: float
    centre_y: float
    level: Floats

    def directions(self, columns: Floats, rows: Floats) -> Floats:
        """Return directions of camera 0 (rows, columns, 3) for columns and rows of the panorama."""
        across = (columns - self.centre_x) / self.scale_px
        down = (rows - self.centre_y) / self.scale_px
        rays = np.empty((len(rows), len(columns), 3))
        if self.projection == "cylindrical":
            rays[..., 0], rays[..., 2] = np.sin(across), np.cos(across)
        else:
            rays[..., 0], rays[..., 2] = across, 1.0
        rays[..., 1] = down[:, None]
        return np.asarray(rays @ self.level.T)

    def place(self, directions: Floats) -> Floats:
        """Return panorama pixels for directions of camera 0 (last axis)."""
        rays = directions @ self.level
        if self.projection == "cylindrical":
            out = np.hypot(rays[..., 0], rays[..., 2])
            flat = np.stack([np.arctan2(rays[..., 0], rays[..., 2]), rays[..., 1] / out], axis=-1)
        else:
            flat = rays[..., :2] / rays[..., 2:3]
        return np.asarray(flat * self.scale_px + np.array([self.centre_x, self.centre_y]))


def rotation_of(turn: tuple[float, float, float] | Floats) -> Floats:
    """Convert a rotation vector to a 3 by 3 matrix."""
    return np.asarray(cv2.Rodrigues(np.asarray(turn, dtype=np.float64))[0], dtype=np.float64)


def canvas_for(
    pair: Pair,
    *,
    projection: Projection = "cylindrical",
    width: int | None = None,
    height: int | None = None,
) -> Canvas:
    """Return a panorama that shows both views at about the cameras' own resolution.

    Without `width` it is as wide as both pictures minus their overlap; without `height` it is as
    high as the views along the whole width, so that no corner is black. Both are even. Raises
    ValueError if a plane cannot hold views that far apart.
    """
    level = _level_rotation(pair)
    unit = Canvas(0, 0, projection, 1.0, 0.0, 0.0, level)
    borders = [
        unit.place(pair.lens0.directions(_border(pair.lens0))),
        unit.place(pair.lens1.directions(_border(pair.lens1)) @ pair.rotation),
    ]
    middles = [float(np.median(border[:, 0])) for border in borders]
    # The outer edges lean; half of their length is seen, which leaves the least black and loses the
    # least.
    outer = [border[_POINTS * 2 :, 0] for border in borders]
    left = min(
        float(np.median(edge[edge < middle])) for edge, middle in zip(outer, middles, strict=True)
    )
    right = max(
        float(np.median(edge[edge > middle])) for edge, middle in zip(outer, middles, strict=True)
    )
    if projection == "plane" and np.arctan(right) - np.arctan(left) > _WIDEST_PLANE_RAD:
        raise ValueError("the two views are too far apart for a plane; use a cylinder")
    if width is None:
        shared = _count_shared_columns(pair)
        width = pair.lens0.width + pair.lens1.width - shared
    width = max(2, width & ~1)
    scale = width / (right - left)
    inner_top, inner_bottom = _inner_rows(pair, unit, left, right)
    middle = (inner_top + inner_bottom) / 2
    if height is None:
        height = int((inner_bottom - inner_top) * scale)
    height = max(2, height & ~1)
    return Canvas(
        width=width,
        height=height,
        projection=projection,
        scale_px=scale,
        centre_x=-left * scale - 0.5,
        centre_y=(height - 1) / 2 - middle * scale,
        level=level,
    )


def _level_rotation(pair: Pair) -> Floats:
    """Return the rotation from panorama to camera 0, centred and level between both cameras.

    The cameras' x axes span the ground plane unless they are rolled; if both point the same way,
    that plane is unknown, and camera 0's own is used (M. Brown and D. Lowe, "Automatic Panoramic
    Image Stitching using Invariant Features", 2007, section 5).
    """
    back = pair.rotation.T
    x0, x1 = np.array([1.0, 0, 0]), back @ np.array([1.0, 0, 0])
    down = np.cross(x0, x1)
    if np.linalg.norm(down) < 0.05:
        down = np.array([0.0, 1.0, 0.0])
    down /= np.linalg.norm(down)
    if down[1] < 0:
        down = -down
    ahead = np.array([0.0, 0, 1]) + back @ np.array([0.0, 0, 1])
    ahead -= down * (ahead @ down)
    ahead /= np.linalg.norm(ahead)
    return np.stack([np.cross(down, ahead), down, ahead], axis=1)


def _border(lens: Lens) -> Floats:
    """Return `_POINTS` points along each edge of a picture: top, bottom, left, right."""
    x = np.linspace(0, lens.width - 1, _POINTS)
    y = np.linspace(0, lens.height - 1, _POINTS)
    edges = [
        np.stack([x, np.zeros_like(x)], axis=-1),
        np.stack([x, np.full_like(x, lens.height - 1)], axis=-1),
        np.stack([np.zeros_like(y), y], axis=-1),
        np.stack([np.full_like(y, lens.width - 1), y], axis=-1),
    ]
    return np.concatenate(edges)


def _count_shared_columns(pair: Pair) -> int:
    """Return how many columns of camera 0 camera 1 sees too, along the middle row."""
    x = np.arange(pair.lens0.width, dtype=np.float64)
    row = np.stack([x, np.full_like(x, (pair.lens0.height - 1) / 2)], axis=-1)
    seen = pair.cam0_to_cam1(row)
    inside = (seen[:, 0] >= 0) & (seen[:, 0] <= pair.lens1.width - 1)
    return int(inside.sum())


def _inner_rows(pair: Pair, unit: Canvas, left: float, right: float) -> tuple[float, float]:
    """Return the rows that a camera sees in nine of ten columns, in units of `unit`."""
    columns = np.linspace(left, right, 241)[1:-1]
    rows = np.linspace(-1.5, 1.5, 1201)
    rays = unit.directions(columns, rows)
    seen = np.zeros(rays.shape[:2], dtype=bool)
    for lens, directions in ((pair.lens0, rays), (pair.lens1, rays @ pair.rotation.T)):
        pixels = lens.project(directions)
        seen |= (
            (pixels[..., 0] >= 0)
            & (pixels[..., 0] <= lens.width - 1)
            & (pixels[..., 1] >= 0)
            & (pixels[..., 1] <= lens.height - 1)
        )
    share = seen.mean(axis=1)
    good = np.flatnonzero(share >= 0.9)
    if not good.size:
        good = np.array([int(share.argmax())])
    return float(rows[good[0]]), float(rows[good[-1]])


def _camera_matrix(lens: Lens) -> Floats:
    x, y = lens.centre
    return np.array([[lens.focal_px, 0, x], [0, lens.focal_px, y], [0, 0, 1.0]])


def _inverse_of(lens: Lens) -> Floats:
    return np.asarray(np.linalg.inv(_camera_matrix(lens)))
