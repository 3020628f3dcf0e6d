"""The verb `follow`: a cut of the panorama that follows the play, `follow_archive.mp4`, 1080p.

Reads the panorama twice: once to detect the play, once to produce the cut. `spec` has `folder`, and
optionally `zoom` (1 shows its whole height), `pitch` (corners as fractions), `keyframes` (`at_s`,
`x`, `y` as fractions), `manner` (fields of `camerawork.Manner`), `preset`, `crf` and `threads`.
"""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import cv2
import numpy as np

from touchline.foreign.files import replace_whole
from touchline.media.mp4 import scan
from touchline.studio.errors import StudioError, disk_trouble
from touchline.studio.pictures.encoder import Encoder, EncoderQuality
from touchline.studio.pictures.film import Film
from touchline.studio.pictures.footage import (
    Ahead,
    SegmentFile,
    fps_of,
    period_ns_of,
    segment_file_of,
    shots,
)
from touchline.studio.pictures.planes import Bytes, Planes, new_frame, planes_of
from touchline.studio.play.action import ActionFinder, PlayPosition
from touchline.studio.play.camerawork import CameraKeyframe, Manner, path
from touchline.studio.stitching.geometry import Floats
from touchline.studio.verbs import Tell
from touchline.studio.verbs.panorama import ARCHIVE, Writing

FILE = "follow_archive.mp4"
TRACK = "follow_track.json"
WIDTH, HEIGHT = 1920, 1080
LOOK_HZ = 10.0
_TELL_EVERY_S = 0.5
_NANO = 1_000_000_000


@dataclass(frozen=True)
class _Window:
    """The visible part of the panorama, in panorama pixels."""

    width: float
    height: float

    def bounds(self, wide: int, high: int) -> tuple[tuple[float, float], tuple[float, float]]:
        """Return the range of its centre, as fractions of the picture."""
        across, down = self.width / wide / 2, self.height / high / 2
        return (across, 1 - across), (down, 1 - down)


def run(spec: Mapping[str, Any], tell: Tell, stopping: threading.Event) -> dict[str, Any]:
    """Create the cut; raises StudioError if there is no panorama."""
    folder = Path(spec["folder"])
    reel = _panorama(folder)
    window = _window(reel, float(spec.get("zoom", 1.0)))
    times_s, actions = _find_play(reel, window, spec, tell, stopping)
    if not actions:
        raise StudioError("no_footage", "No frame of the panorama could be decoded")
    swing = _camera_path(reel, window, spec, times_s, actions)
    try:
        frames = _film(folder, reel, window, spec, (times_s, swing), tell, stopping)
        _keep_track(folder, times_s, swing)
    except OSError as error:
        raise disk_trouble(error) from error
    sure = float(np.mean([action.weight > 0 for action in actions]))
    return {
        "file": FILE,
        "track": TRACK,
        "width": WIDTH,
        "height": HEIGHT,
        "frames": frames,
        "seen_share": round(sure, 3),
    }


def _panorama(folder: Path) -> SegmentFile:
    try:
        index = scan.index(folder / ARCHIVE)
    except (OSError, scan.NotSegment) as error:
        raise StudioError(
            "no_panorama",
            "This match has no panorama",
            advice="Create the panorama first.",
        ) from error
    if not index.scan.fragments:
        raise StudioError("no_panorama", "The panorama of this match is empty")
    return segment_file_of(folder / ARCHIVE, index)


def _window(reel: SegmentFile, zoom: float) -> _Window:
    """Return a 16:9 window, as high as the panorama divided by the zoom, and no wider than it."""
    height = reel.height / max(1.0, min(zoom, 4.0))
    width = min(height * WIDTH / HEIGHT, float(reel.width))
    return _Window(width, width * HEIGHT / WIDTH)


def _find_play(
    reel: SegmentFile,
    window: _Window,
    spec: Mapping[str, Any],
    tell: Tell,
    stopping: threading.Event,
) -> tuple[Floats, list[PlayPosition]]:
    """Return the position of the play, ten times per second."""
    pitch = spec.get("pitch")
    finder = ActionFinder(
        rate_hz=LOOK_HZ,
        view_share=window.width / reel.width,
        pitch=None if pitch is None else np.asarray(pitch, dtype=np.float64),
    )
    times: list[float] = []
    actions: list[PlayPosition] = []
    for seen, shot in enumerate(_pictures(reel, stopping)):
        at_s = (shot.at_ns - reel.start_ns) / _NANO
        if at_s * LOOK_HZ >= len(times) - 1e-3:
            action = finder.look(planes_of(shot.picture))
            while len(times) <= at_s * LOOK_HZ + 1e-3:  # evenly spaced, also over a pause
                times.append(len(times) / LOOK_HZ)
                actions.append(action)
        if seen % 15 == 0:
            tell({"done": seen, "total": 2 * reel.frames})
    return np.array(times), actions


def _camera_path(
    reel: SegmentFile,
    window: _Window,
    spec: Mapping[str, Any],
    times_s: Floats,
    actions: Sequence[PlayPosition],
) -> Floats:
    """Return the centre of the window at each time, as fractions (n, 2)."""
    across, down = window.bounds(reel.width, reel.height)
    manner = Manner(**spec.get("manner", {}))
    keyframes = [CameraKeyframe(**keyframe) for keyframe in spec.get("keyframes", ())]
    weights = np.array([action.weight for action in actions])
    x = path(
        times_s,
        np.array([action.x for action in actions]),
        weights,
        manner,
        bounds=across,
        by_hand=[(keyframe.at_s, keyframe.x) for keyframe in keyframes],
    )
    y = path(
        times_s,
        np.array([action.y for action in actions]),
        weights,
        manner,
        bounds=down,
        by_hand=[(keyframe.at_s, keyframe.y) for keyframe in keyframes],
    )
    return np.stack([x, y], axis=-1)


def _film(
    folder: Path,
    reel: SegmentFile,
    window: _Window,
    spec: Mapping[str, Any],
    track: tuple[Floats, Floats],
    tell: Tell,
    stopping: threading.Event,
) -> int:
    times_s, swing = track
    cv2.setNumThreads(1)
    period_ns = period_ns_of([reel])
    quality = EncoderQuality(
        preset=str(spec.get("preset", "veryfast")),
        crf=int(spec.get("crf", 23)),
        threads=int(spec.get("threads", 1)),
    )
    encoder = Encoder(WIDTH, HEIGHT, fps_of(period_ns), quality, reel.colour)
    partial = folder / ".follow.partial.mp4"
    film = Film(partial, encoder.codec)
    writing = Writing(encoder, film)
    next_tell_s, done, last_ns = 0.0, 0, reel.start_ns
    try:
        for shot in _pictures(reel, stopping):
            at_s = (shot.at_ns - reel.start_ns) / _NANO
            x = float(np.interp(at_s, times_s, swing[:, 0]))
            y = float(np.interp(at_s, times_s, swing[:, 1]))
            writing.put(_crop_window(planes_of(shot.picture), window, x, y), shot.at_ns)
            done, last_ns = done + 1, shot.at_ns
            if time.monotonic() >= next_tell_s:
                next_tell_s = time.monotonic() + _TELL_EVERY_S
                tell({"done": reel.frames + done, "total": 2 * reel.frames})
    finally:
        writing.close()
    film.finish(last_ns + period_ns)
    partial.replace(folder / FILE)
    return done


def _crop_window(picture: Planes, window: _Window, x: float, y: float) -> av.VideoFrame:
    """Return the window at a subpixel position: a slow pan must not stutter."""
    frame, into = new_frame(WIDTH, HEIGHT)
    middle = (x * picture.width - 0.5, y * picture.height - 0.5)
    size = (round(window.width), round(window.height))
    _cut(picture.y, middle, size, into.y)
    half = (size[0] // 2, size[1] // 2)
    colour = ((middle[0] - 0.5) / 2, (middle[1] - 0.5) / 2)
    _cut(picture.u, colour, half, into.u)
    _cut(picture.v, colour, half, into.v)
    return frame


def _cut(plane: Bytes, middle: tuple[float, float], size: tuple[int, int], into: Bytes) -> None:
    part = cv2.getRectSubPix(plane, size, middle)
    height, width = into.shape
    if part.shape == into.shape:
        into[:] = part
    else:
        into[:] = cv2.resize(part, (width, height), interpolation=cv2.INTER_LINEAR)


def _pictures(reel: SegmentFile, stopping: threading.Event) -> Iterator[Any]:
    source = Ahead(shots([reel]), "panorama")
    try:
        for shot in source:
            if stopping.is_set():
                raise StudioError("stopped", "It was stopped")
            yield shot
    finally:
        source.close()


def _keep_track(folder: Path, times_s: Floats, swing: Floats) -> None:
    """Store the positions of the cut, for manual corrections."""
    track = {
        "rate_hz": LOOK_HZ,
        "x": [round(float(value), 4) for value in swing[:, 0]],
        "y": [round(float(value), 4) for value in swing[:, 1]],
        "lasts_s": float(Fraction(len(times_s)) / Fraction(LOOK_HZ)),
    }
    replace_whole(folder / TRACK, json.dumps(track).encode())
