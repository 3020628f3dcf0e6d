"""Matches filmed by two simulated cameras that look at a painted world, as folders."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from pathlib import Path

import cv2
import numpy as np

from support.scenes import Grey, TwoCameras, two_cameras
from support.shared import made_once
from touchline.media.h264.syntax import Colour
from touchline.studio.pictures.encoder import Encoder, EncoderQuality
from touchline.studio.pictures.film import Film
from touchline.studio.pictures.planes import new_frame
from touchline.studio.stitching.geometry import rotation_of

START_NS = 1_770_847_361_000_000_000
FPS = 30
PERIOD_NS = 1_000_000_000 // FPS


def steady(frames: int, *, ppm: float = 0.0, phase_ns: int = 0) -> list[int]:
    """Capture times of a camera whose clock is off by so many millionths."""
    step = PERIOD_NS * (1 + ppm * 1e-6)
    return [START_NS + phase_ns + round(n * step) for n in range(frames)]


class World:
    """What both cameras see at any time: the painted world, and a ball that crosses it."""

    def __init__(self, cameras: TwoCameras, *, gain1: float = 1.0, noise: float = 0.0) -> None:
        self.cameras = cameras
        # The ball is the only thing that is nearly white.
        stills = [(p.astype(np.float32) - 16) * 0.8 + 16 for p in cameras.pictures()]
        stills[1] = (stills[1] - 16) * gain1 + 16
        self._still = tuple(still.astype(np.uint8) for still in stills)
        self._noise = noise
        self._rng = np.random.default_rng(7)

    def ball(self, at_ns: int) -> np.ndarray:
        """The ball's direction, in the frame of camera 0, at a time."""
        seconds = (at_ns - START_NS) / 1e9
        swing = np.radians(28 * np.sin(seconds * 0.8) + 27)
        return np.asarray(rotation_of((0.0, swing, 0.0)) @ np.array([0.0, 0.05, 1.0]))

    def picture(self, camera: int, at_ns: int) -> Grey:
        """The brightness of one camera's picture."""
        seen = self._still[camera].copy()
        pair = self.cameras.pair
        lens, turn = ((pair.lens0, np.eye(3)), (pair.lens1, pair.rotation))[camera]
        x, y = lens.project((turn @ self.ball(at_ns))[None, :])[0]
        if np.isfinite(x) and -50 < x < lens.width + 50:
            radius = max(3, lens.width // 80)
            cv2.circle(seen, (round(float(x)), round(float(y))), radius, 235, -1, cv2.LINE_AA)
        if self._noise:
            noise = self._rng.normal(0, self._noise, seen.shape).astype(np.int8)
            seen = np.asarray(cv2.add(seen, noise, dtype=cv2.CV_8U), np.uint8)
        return np.asarray(seen, np.uint8)


def film_camera(
    path: Path,
    world: World,
    camera: int,
    times_ns: Iterable[int],
    *,
    quality: EncoderQuality | None = None,
    gop_s: float = 1.0,
    colour: Colour | None = None,
) -> Path:
    """One segment with a picture for each of these times."""
    lens = (world.cameras.pair.lens0, world.cameras.pair.lens1)[camera]
    chosen = quality or EncoderQuality(preset="ultrafast", crf=20, threads=2, gop_s=gop_s)
    encoder = Encoder(lens.width, lens.height, Fraction(FPS), chosen, colour)
    film = Film(path, encoder.codec)
    last_ns = 0
    for at_ns in times_ns:
        frame, planes = new_frame(lens.width, lens.height)
        planes.fill_black()
        planes.y[:] = world.picture(camera, at_ns)
        for coded in encoder.encode(frame, at_ns):
            film.append(coded)
        last_ns = at_ns
    for coded in encoder.flush():
        film.append(coded)
    film.finish(last_ns + PERIOD_NS)
    return path


def looping_films() -> tuple[Path, Path]:
    """Five seconds of one world by two cameras of 640x360, as files for cameras that play them."""

    def film(camera: int, path: Path) -> Path:
        world = World(two_cameras(640, 360), gain1=0.85)
        return film_camera(path, world, camera, steady(150))

    names = ("world-cam0.mp4", "world-cam1.mp4")
    first, second = (made_once(name, partial(film, n)) for n, name in enumerate(names))
    return first, second


def film_match(
    folder: Path,
    world: World,
    times0: Sequence[int],
    times1: Sequence[int],
    *,
    colour: Colour | None = None,
) -> Path:
    """A match folder with a segment of each camera for every stretch without a gap."""
    segments = folder / "segments"
    segments.mkdir(parents=True)
    for camera, times in ((0, times0), (1, times1)):
        for number, stretch in enumerate(_stretches(times)):
            path = segments / f"cam{camera}_20260211_220241_{number:02d}.mp4"
            film_camera(path, world, camera, stretch, colour=colour)
    return folder


def _stretches(times: Sequence[int]) -> Iterator[list[int]]:
    stretch: list[int] = []
    for at_ns in times:
        if stretch and at_ns - stretch[-1] > 1_000_000_000:
            yield stretch
            stretch = []
        stretch.append(at_ns)
    if stretch:
        yield stretch
