"""Pictures as stored by codecs: a luma plane and two chroma planes of half the size (I420).

Planes are views into the memory of a decoder's or an encoder's frame, with its stride between rows;
reading them copies nothing.
"""

from __future__ import annotations

from dataclasses import dataclass

import av
import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]

BLACK_Y, BLACK_UV = 16, 128


@dataclass(frozen=True)
class Planes:
    """Y (hxw), U and V (h/2xw/2), 8 bit, in limited range."""

    y: Bytes
    u: Bytes
    v: Bytes

    @property
    def width(self) -> int:
        """Width in pixels."""
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        """Height in pixels."""
        return int(self.y.shape[0])

    def fill_black(self) -> None:
        """Fill the picture with black."""
        self.y[:] = BLACK_Y
        self.u[:] = BLACK_UV
        self.v[:] = BLACK_UV


def planes_of(frame: av.VideoFrame) -> Planes:
    """Return views of the planes of a yuv420p frame; they are valid as long as the frame exists."""
    views = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
        views.append(rows[: plane.height, : plane.width])
    y, u, v = views
    return Planes(y, u, v)


def new_frame(width: int, height: int) -> tuple[av.VideoFrame, Planes]:
    """Create a frame for an encoder, and writable views of its planes; both sides are even."""
    frame = av.VideoFrame(width, height, "yuv420p")
    return frame, planes_of(frame)


def new_planes(width: int, height: int) -> Planes:
    """Create a black picture in memory of its own; both sides are even."""
    y = np.full((height, width), BLACK_Y, np.uint8)
    u = np.full((height // 2, width // 2), BLACK_UV, np.uint8)
    return Planes(y, u, u.copy())
