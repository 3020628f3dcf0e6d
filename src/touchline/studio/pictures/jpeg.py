"""Scaled pictures and JPEG files."""

from __future__ import annotations

from pathlib import Path

import cv2
import numpy as np
import numpy.typing as npt

from touchline.foreign.files import replace_whole
from touchline.studio.errors import StudioError

Picture = npt.NDArray[np.uint8]
"""Pixels by row and column, in the order blue, green, red."""

POSTER_HEIGHT = 360
_JPEG = [cv2.IMWRITE_JPEG_QUALITY, 78]


def scaled(picture: Picture, height: int) -> Picture:
    """Return a picture of that height and of the same shape."""
    width = max(1, round(picture.shape[1] * height / picture.shape[0]))
    small = cv2.resize(picture, (width, height), interpolation=cv2.INTER_AREA)
    return np.asarray(small, np.uint8)


def write_jpeg(path: Path, picture: Picture) -> None:
    """Write a JPEG file whole or not at all. Raises OSError."""
    good, data = cv2.imencode(".jpg", picture, _JPEG)
    if not good:
        raise StudioError("picture_failed", f"{path.name} could not be encoded")
    replace_whole(path, data.tobytes())
