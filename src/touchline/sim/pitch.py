"""The views of two cameras on a mast of an empty pitch: `python -m touchline.sim.pitch`.

Drawn once and stored as a file; the simulated cameras draw the players and the ball onto it. Both
views show one world, so that they are consistent where they overlap: grass, lines, boards, a crowd,
trees, houses and clouds.
"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from touchline.media.picture.pitchplay import BREADTH_M, LENGTH_M, MAST_M, View, view

SIDES = ("left", "right")
FAR_WALL_M = 48.0
_SIDE_WALL_M = 74.0
_LINE_M = 0.14
_UNDISTORT_STEPS = 6

Picture = npt.NDArray[np.float32]
Floats = npt.NDArray[np.float32]


def background(of: View) -> npt.NDArray[np.uint8]:
    """Return the empty pitch as I420, luma rows first (height * 3 / 2, width)."""
    colour = _render(of, 2) * of.gain
    small = cv2.resize(colour, (of.width, of.height), interpolation=cv2.INTER_AREA)
    bgr = np.clip(small, 0, 255).astype(np.uint8)
    return np.asarray(cv2.cvtColor(bgr, cv2.COLOR_BGR2YUV_I420), np.uint8)


def _render(of: View, finer: int) -> Picture:
    """Return blue, green and red of every ray, on a grid finer than the picture."""
    columns = ((np.arange(of.width * finer) + 0.5) / finer - 0.5).astype(np.float32)
    rows = ((np.arange(of.height * finer) + 0.5) / finer - 0.5).astype(np.float32)
    rays = _rays(of, columns, rows)
    x, y, z = rays[..., 0], rays[..., 1], rays[..., 2]
    far = np.float32(1e6)
    ground = np.where(z < -1e-5, -MAST_M[2] / np.minimum(z, -1e-5), far)
    wall = np.where(y > 1e-5, (FAR_WALL_M - MAST_M[1]) / np.maximum(y, 1e-5), far)
    side = _SIDE_WALL_M / np.maximum(np.abs(x), 1e-5)
    upright = np.minimum(wall, side)
    on_ground = ground < upright
    picture = np.empty((*z.shape, 3), np.float32)
    # Ground fills the lower rows, objects on it the upper ones; few rows have both.
    with_ground, standing = on_ground.any(axis=1), ~on_ground.all(axis=1)
    reach = np.where(on_ground, ground, 0.0)[with_ground]
    picture[with_ground] = _grass(
        MAST_M[0] + x[with_ground] * reach, MAST_M[1] + y[with_ground] * reach
    )
    reach = np.where(on_ground, 1.0, upright)[standing]
    along = np.where(
        (wall < side)[standing],
        MAST_M[0] + x[standing] * reach,
        300.0 + MAST_M[1] + y[standing] * reach,
    )
    upper = picture[standing]
    above = ~on_ground[standing]
    upper[above] = _standing(along, MAST_M[2] + z[standing] * reach)[above]
    picture[standing] = upper
    return picture


def _rays(of: View, columns: Floats, rows: Floats) -> Floats:
    """Return directions in the world (rows, columns, 3)."""
    bent = np.stack(
        np.meshgrid(
            (columns - (of.width - 1) / 2) / of.focal_px, (rows - (of.height - 1) / 2) / of.focal_px
        ),
        axis=-1,
    )
    flat = bent.copy()
    for _ in range(_UNDISTORT_STEPS):
        r2 = np.sum(flat**2, axis=-1, keepdims=True)
        flat = bent / np.maximum(1 + of.k1 * r2 + of.k2 * r2**2, 0.1)
    axes = np.array(of.axes, np.float32)
    return np.asarray(flat @ axes[:2] + axes[2])


def _grass(x: Floats, y: Floats) -> Picture:
    stripes = np.where(np.floor((x + LENGTH_M / 2) / 5.25) % 2 == 0, 1.0, 0.88)
    inside = (np.abs(x) < LENGTH_M / 2 + 3) & (np.abs(y) < BREADTH_M / 2 + 3)
    rough = _noise(x, y, 0.35, 1) * 9 + _noise(x, y, 2.5, 2) * 9 + _noise(x, y, 11.0, 3) * 8
    shade = (np.where(inside, stripes, 0.78))[..., None]
    colour = np.array([52.0, 128.0, 62.0], np.float32) * shade + rough[..., None]
    white = _lines(x, y)[..., None]
    return np.asarray(colour * (1 - white) + 225.0 * white, np.float32)


def _lines(x: Floats, y: Floats) -> Floats:
    """Return 1 on a chalk line, 0 elsewhere (Laws of the Game, law 1)."""
    half_x, half_y = LENGTH_M / 2, BREADTH_M / 2
    drawn = np.zeros(x.shape, dtype=bool)
    wide = _LINE_M

    def box(x0: float, x1: float, y0: float, y1: float) -> None:
        inside = (x >= x0 - wide) & (x <= x1 + wide) & (y >= y0 - wide) & (y <= y1 + wide)
        within = (x > x0 + wide) & (x < x1 - wide) & (y > y0 + wide) & (y < y1 - wide)
        drawn[inside & ~within] = True

    box(-half_x, half_x, -half_y, half_y)
    for end in (-1.0, 1.0):
        for depth, breadth in ((16.5, 20.16), (5.5, 9.16)):
            a, b = sorted((end * half_x, end * (half_x - depth)))
            box(a, b, -breadth, breadth)
        spot = np.hypot(x - end * (half_x - 11.0), y)
        drawn[(np.abs(spot - 9.15) < wide) & (np.abs(x) < half_x - 16.5)] = True
        drawn[spot < 0.25] = True
    drawn[(np.abs(x) < wide) & (np.abs(y) < half_y)] = True
    circle = np.hypot(x, y)
    drawn[np.abs(circle - 9.15) < wide] = True
    drawn[circle < 0.25] = True
    return drawn.astype(np.float32)


def _standing(along: Floats, height: Floats) -> Picture:
    """Return the surroundings of the pitch by position along it and height above the ground."""
    sky = (
        np.array([214.0, 190.0, 150.0], np.float32)
        + (_noise(along, height, 14.0, 4) * 26)[..., None]
    )
    picture = np.asarray(sky, np.float32)
    roof = 8.0 + 4.0 * np.floor(_cells(along, 9.0, 5) * 3)
    house = (height < roof) & (_cells(along, 9.0, 6) > 0.45)
    paint = 70 + 120 * np.stack([_cells(along, 9.0, seed) for seed in (7, 8, 9)], axis=-1)
    windows = (np.abs(along % 2.25 - 1.1) < 0.5) & (np.abs(height % 3.0 - 1.6) < 0.7)
    picture[house] = paint[house]
    picture[house & windows] = np.array([60.0, 52.0, 48.0])
    leaves = height < 6.0 + 2.5 * _noise(along, height * 0, 5.0, 10)
    green = (
        np.array([40.0, 86.0, 46.0], np.float32) + (_noise(along, height, 0.9, 11) * 34)[..., None]
    )
    picture[leaves] = green[leaves]
    crowd = (height > 1.0) & (height < 3.2)
    heads = np.stack([_spots(along, height, 0.55, seed) for seed in (12, 13, 14)], axis=-1)
    picture[crowd] = (40 + 190 * heads)[crowd]
    boards = height <= 1.0
    advert = 40 + 190 * np.stack([_cells(along, 6.0, seed) for seed in (15, 16, 17)], axis=-1)
    letters = (_spots(along, height, 0.34, 18) > 0.55) & (np.abs(height - 0.5) < 0.28)
    picture[boards] = advert[boards]
    picture[boards & letters] = np.array([235.0, 235.0, 235.0])
    return picture


def _noise(x: Floats, y: Floats, size_m: float, seed: int) -> Floats:
    """Return smooth noise of this grain size, about -1 to 1."""
    table = np.random.default_rng(seed).standard_normal((256, 256)).astype(np.float32)
    across = np.mod(x / size_m, 256).astype(np.float32)
    down = np.mod(y / size_m, 256).astype(np.float32)
    grain = cv2.remap(table, across, down, cv2.INTER_LINEAR, borderMode=cv2.BORDER_WRAP)
    return np.asarray(np.clip(grain, -2.5, 2.5) / np.float32(1.6))


def _cells(along: Floats, size_m: float, seed: int) -> Floats:
    """Return a number from 0 to 1 for every interval of this length."""
    table = np.random.default_rng(seed).random(4096, np.float32)
    return np.asarray(table[np.floor(along / size_m).astype(np.int64) % 4096])


def _spots(along: Floats, height: Floats, size_m: float, seed: int) -> Floats:
    """Return a number from 0 to 1 for every square of this size."""
    table = np.random.default_rng(seed).random((64, 4096), np.float32)
    column = np.floor(along / size_m).astype(np.int64) % 4096
    row = np.floor(height / size_m).astype(np.int64) % 64
    return np.asarray(table[row, column])


def main(argv: list[str] | None = None) -> int:
    """Write `SIDE-WIDTHxHEIGHT.i420` files to a folder, keeping existing ones."""
    parser = argparse.ArgumentParser(prog="touchline.sim.pitch", description=__doc__)
    parser.add_argument("--out", type=Path, required=True, help="folder for the files")
    parser.add_argument("--width", type=int, required=True, help="width in pixels")
    parser.add_argument("--height", type=int, required=True, help="height in pixels")
    parser.add_argument("--side", choices=SIDES, action="append", help="only this side")
    arguments = parser.parse_args(argv)
    arguments.out.mkdir(parents=True, exist_ok=True)
    for side in arguments.side or SIDES:
        path = arguments.out / f"{side}-{arguments.width}x{arguments.height}.i420"
        if not path.exists():
            new = path.with_suffix(".new")
            new.write_bytes(background(view(side, arguments.width, arguments.height)).tobytes())
            new.replace(path)
    return 0


if __name__ == "__main__":
    sys.exit(main())
