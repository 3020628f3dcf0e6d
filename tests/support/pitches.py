"""Matches on the simulated pitch, where every place and every instant is known."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from fractions import Fraction
from functools import cache, partial
from pathlib import Path

import cv2
import numpy as np

from support.matches import START_NS
from support.shared import made_once
from touchline.media.picture import pitchplay
from touchline.sim.pitch import background
from touchline.studio.pictures.encoder import Encoder, EncoderQuality
from touchline.studio.pictures.film import Film
from touchline.studio.pictures.planes import new_frame
from touchline.studio.stitching.geometry import Canvas, Lens, Pair
from touchline.worker.pipeline.pitchpicture import PitchPicture

SIDES = ("left", "right")


def pitch_pair(width: int, height: int) -> Pair:
    """How the two cameras of the mast really stand to each other."""
    views = [pitchplay.view(side, width, height) for side in SIDES]
    first, second = (Lens(v.width, v.height, v.focal_px, v.k1, v.k2) for v in views)
    turn = np.array(views[1].axes) @ np.array(views[0].axes).T
    x, y, z = (float(value) for value in np.asarray(cv2.Rodrigues(turn)[0]).reshape(-1))
    return Pair(first, second, (x, y, z))


def place_of(canvas: Canvas, point: tuple[float, float, float], width: int, height: int) -> float:
    """The column of the panorama in which a point of the world is."""
    view = pitchplay.view("left", width, height)
    away = np.array(point) - np.array(view.position_m)
    direction = np.array(view.axes) @ away
    return float(canvas.place(direction[None, :])[0, 0])


@cache
def empty_pitch(side: str, width: int, height: int) -> bytes:
    """Drawn once for all tests."""
    return background(pitchplay.view(side, width, height)).tobytes()


@dataclass(frozen=True)
class Shooting:
    """How the play is filmed; time in it begins at `begin_s` of the play.

    `noise` is a sensor's: its standard deviation in levels.
    """

    seconds: float
    fps: int
    size: tuple[int, int]
    begin_s: float = 0.0
    noise: float = 0.0


SHORT = Shooting(seconds=40.0, fps=10, size=(640, 360), begin_s=100.0)


def film_pitch(folder: Path, shooting: Shooting) -> Path:
    """A match folder with a segment of each camera."""
    for camera in range(len(SIDES)):
        _film_side(_segment(folder, camera), camera, shooting)
    return folder


def short_pitch(folder: Path) -> Path:
    """The same, but filmed once for all tests."""
    for camera in range(len(SIDES)):
        film = partial(_film_side, camera=camera, shooting=SHORT)
        shutil.copyfile(made_once(f"pitch-cam{camera}.mp4", film), _segment(folder, camera))
    return folder


def _segment(folder: Path, camera: int) -> Path:
    (folder / "segments").mkdir(parents=True, exist_ok=True)
    return folder / "segments" / f"cam{camera}_20260211_220241_00.mp4"


def _film_side(path: Path, camera: int, shooting: Shooting) -> None:
    (width, height), fps, side = shooting.size, shooting.fps, SIDES[camera]
    rng = np.random.default_rng(5)
    grains = [rng.normal(0, shooting.noise, (height, width)).astype(np.int8) for _ in range(8)]
    pitch = empty_pitch(side, width, height)
    picture = PitchPicture(side, width, height, fps, 1, side=side, pitch=pitch)
    encoder = Encoder(width, height, Fraction(fps), EncoderQuality("ultrafast", 20, 2, 1.0), None)
    film = Film(path, encoder.codec)
    first, count = int(shooting.begin_s * fps), int(shooting.seconds * fps)
    for number in range(count):
        frame, planes = new_frame(width, height)
        drawn = np.frombuffer(picture.frame(first + number, 0.0), np.uint8)
        luma = width * height
        clean = drawn[:luma].reshape(height, width)
        if shooting.noise:
            cv2.add(clean, grains[number % 8], dst=planes.y, dtype=cv2.CV_8U)
        else:
            planes.y[:] = clean
        planes.u[:] = drawn[luma : luma * 5 // 4].reshape(height // 2, width // 2)
        planes.v[:] = drawn[luma * 5 // 4 :].reshape(height // 2, width // 2)
        for coded in encoder.encode(frame, START_NS + number * 1_000_000_000 // fps):
            film.append(coded)
    for coded in encoder.flush():
        film.append(coded)
    film.finish(START_NS + count * 1_000_000_000 // fps)
