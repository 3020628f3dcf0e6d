"""Detection of the play in a wide, static picture, by the motion on the pitch.

Every picture is scaled down, and slow changes of light (clouds, floodlights) are removed by
subtracting its own blur. Motion is what differs from the running mean by more than is usual *at
that spot*: a crowd that waves all the time is usual, a player who runs by is not. Distant players
are small, so their rows count for more.
"""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from touchline.studio.pictures.planes import Planes
from touchline.studio.stitching.geometry import Floats

SMALL_WIDTH = 480
LEARN_S = 8.0
_LEAST_CHANGE = 7.0
_TIMES_USUAL = 3.5
_GRASS_SHARE = 0.12
_WARM_UP = 10
_FAR_WEIGHT = 3.0
"""Weight of the farthest row of the pitch relative to the nearest one."""

Mask = npt.NDArray[np.bool_]


@dataclass(frozen=True)
class PlayPosition:
    """Position of the play as fractions of width and height, with a confidence of 0 to 1."""

    x: float
    y: float
    weight: float


NOTHING = PlayPosition(0.5, 0.5, 0.0)


class ActionFinder:
    """Detector that is given consecutive pictures, `rate_hz` of them per second.

    `view_share` is the fraction of the picture's width that the cut will show: the window of that
    width with most motion is followed. `pitch` are corners (x, y as fractions) of the area in which
    motion counts; without them it is the grass, or everything if there is none.
    """

    def __init__(
        self,
        *,
        rate_hz: float,
        view_share: float,
        pitch: Floats | None = None,
    ) -> None:
        self._learn = 1.0 / max(2.0, LEARN_S * rate_hz)
        self._view_share = view_share
        self._pitch = pitch
        self._mean: npt.NDArray[np.float32] | None = None
        self._usual: npt.NDArray[np.float32] | None = None
        self._colour: npt.NDArray[np.float32] | None = None
        self._seen = 0

    def look(self, picture: Planes) -> PlayPosition:
        """Return the current position of the play."""
        small = _small(picture.y)
        detail = small - cv2.GaussianBlur(small, (0, 0), SMALL_WIDTH / 40)
        self._see_colour(picture)
        self._seen += 1
        mean, usual = self._mean, self._usual
        if mean is None or usual is None or mean.shape != detail.shape:
            self._mean = np.asarray(detail.copy(), np.float32)
            self._usual = np.full(detail.shape, _LEAST_CHANGE / _TIMES_USUAL, np.float32)
            return NOTHING
        change = np.abs(detail - mean)
        moves = change > np.maximum(_LEAST_CHANGE, _TIMES_USUAL * usual)
        share = max(self._learn, 1.0 / self._seen)
        # Learn moving areas slowly, or a waiting player would become part of the background.
        rate = np.where(moves, share * 0.25, share).astype(np.float32)
        mean += rate * (detail - mean)
        usual += rate * (np.minimum(change, 60.0) - usual)
        if self._seen < _WARM_UP:
            return NOTHING
        return self._densest(moves & self._area(moves.shape))

    def _densest(self, moves: Mask) -> PlayPosition:
        cleaned = cv2.morphologyEx(
            moves.astype(np.uint8), cv2.MORPH_OPEN, np.ones((2, 2), np.uint8)
        ).astype(np.float32)
        total = float(cleaned.sum())
        if total < 4:
            return NOTHING
        rows = np.flatnonzero(cleaned.any(axis=1))
        top, bottom = int(rows[0]), int(rows[-1]) + 1
        weights = np.ones(cleaned.shape[0], np.float32)
        weights[top:bottom] = np.linspace(_FAR_WEIGHT, 1.0, bottom - top)
        cleaned *= weights[:, None]
        # Several players running together outweigh one who is large because of being close.
        columns = np.sqrt(cleaned.sum(axis=0))
        width = cleaned.shape[1]
        window = np.hanning(max(3, int(width * self._view_share) | 1))
        density = np.convolve(columns, window, mode="same")
        best = int(np.argmax(density))
        half = len(window) // 2
        left, right = max(0, best - half), min(width, best + half + 1)
        around = columns[left:right] * window[left - best + half : right - best + half]
        if around.sum() <= 0:
            return NOTHING
        x = float((np.arange(left, right) * around).sum() / around.sum())
        inside = cleaned[:, left:right].sum(axis=1)
        y = float((np.arange(len(inside)) * inside).sum() / max(float(inside.sum()), 1e-6))
        sure = float(density[best] / max(float(columns.sum()), 1e-6))
        return PlayPosition((x + 0.5) / width, (y + 0.5) / len(inside), min(1.0, sure))

    def _see_colour(self, picture: Planes) -> None:
        """Measure the mean colour of every spot, to distinguish grass from the rest."""
        if self._pitch is not None or self._seen % 10:
            return
        colour = np.stack([_small(picture.u), _small(picture.v)], axis=-1)
        if self._colour is None or self._colour.shape != colour.shape:
            self._colour = colour
        else:
            self._colour += 0.1 * (colour - self._colour)

    def _area(self, shape: tuple[int, ...]) -> Mask:
        height, width = shape
        if self._pitch is not None:
            mask = np.zeros((height, width), np.uint8)
            corners = np.rint(self._pitch * np.array([width, height])).astype(np.int32)
            cv2.fillPoly(mask, [corners], 1)
            return mask.astype(bool)
        if self._colour is None:
            return np.ones((height, width), dtype=bool)
        # Green is little blue and little red: both colour planes lie below their middle.
        green = ((self._colour[..., 0] < 124) & (self._colour[..., 1] < 124)).astype(np.uint8)
        green = np.asarray(cv2.resize(green, (width, height), interpolation=cv2.INTER_NEAREST))
        green = np.asarray(cv2.morphologyEx(green, cv2.MORPH_CLOSE, np.ones((9, 9), np.uint8)))
        count, parts, stats, _ = cv2.connectedComponentsWithStats(green)
        if count < 2:
            return np.ones((height, width), dtype=bool)
        largest = 1 + int(np.argmax(stats[1:, cv2.CC_STAT_AREA]))
        if stats[largest, cv2.CC_STAT_AREA] < _GRASS_SHARE * width * height:
            return np.ones((height, width), dtype=bool)
        # Players overlap the background behind the pitch: a strip above the grass counts too.
        grown = cv2.dilate((parts == largest).astype(np.uint8), np.ones((9, 3), np.uint8))
        return np.asarray(grown).astype(bool)


def _small(plane: npt.NDArray[np.uint8]) -> npt.NDArray[np.float32]:
    height = max(8, round(plane.shape[0] * SMALL_WIDTH / plane.shape[1]))
    small = cv2.resize(plane, (SMALL_WIDTH, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.float32)
