"""A picture as codecs have it: one plane of brightness, two of colour at half the size (I420).

Planes are views into whatever holds them (a decoder's frame, an encoder's), rows apart by its
stride; nothing is copied to look at one.
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
        """Pixels across."""
        return int(self.y.shape[1])

    @property
    def height(self) -> int:
        """Pixels down."""
        return int(self.y.shape[0])

    def fill_black(self) -> None:
        """Black everywhere."""
        self.y[:] = BLACK_Y
        self.u[:] = BLACK_UV
        self.v[:] = BLACK_UV


def planes_of(frame: av.VideoFrame) -> Planes:
    """The planes inside a frame of format yuv420p; they live as long as the frame does."""
    views = []
    for plane in frame.planes:
        rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)  # type: ignore[call-overload]
        views.append(rows[: plane.height, : plane.width])
    y, u, v = views
    return Planes(y, u, v)


def new_frame(width: int, height: int) -> tuple[av.VideoFrame, Planes]:
    """A frame for an encoder, and its planes to be written into; both sides even."""
    frame = av.VideoFrame(width, height, "yuv420p")
    return frame, planes_of(frame)


def new_planes(width: int, height: int) -> Planes:
    """A black picture in memory of its own; both sides even."""
    y = np.full((height, width), BLACK_Y, np.uint8)
    u = np.full((height // 2, width // 2), BLACK_UV, np.uint8)
    return Planes(y, u, u.copy())
