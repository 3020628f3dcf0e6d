"""Distribution of one camera's encoded frames to several outlets.

An outlet's `push` is called on the pipeline's thread and must return at once; each outlet has its
own queue and its own policy for dropping frames. The newest group of pictures (GOP) is kept, so
that an outlet added later can start with a keyframe.
"""

from __future__ import annotations

import threading
from typing import NamedTuple, Protocol

from touchline.media.h264.codec import Codec

GOP_LIMIT_BYTES = 32 << 20
"""A larger GOP is not kept: 10 s at 25 Mbit/s."""


class Frame(NamedTuple):
    """One encoded picture in AVC form.

    Times are nanoseconds of CLOCK_MONOTONIC; `pts_ns` is when the picture was captured.
    """

    data: bytes
    pts_ns: int
    dts_ns: int
    duration_ns: int
    keyframe: bool
    codec: Codec


class Outlet(Protocol):
    """A reader of a camera's frames."""

    def push(self, frame: Frame) -> None:
        """Accept a frame without waiting."""

    def interrupted(self, reason: str) -> None:
        """Note an interruption: the next frame does not continue the one before."""


class Tee:
    """Passes every frame to every outlet, in order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._outlets: tuple[Outlet, ...] = ()
        self._gop: list[Frame] = []
        self._gop_bytes = 0

    @property
    def hung(self) -> bool:
        """Whether there are any outlets."""
        return bool(self._outlets)

    def attach_outlet(self, outlet: Outlet, *, with_gop: bool) -> None:
        """Add an outlet; with `with_gop` it first receives the newest GOP so far."""
        with self._lock:
            if with_gop:
                for frame in self._gop:
                    outlet.push(frame)
            self._outlets = (*self._outlets, outlet)

    def take_off(self, outlet: Outlet) -> None:
        """Remove an outlet; it receives nothing after this returns."""
        with self._lock:
            self._outlets = tuple(o for o in self._outlets if o is not outlet)

    def push(self, frame: Frame) -> None:
        """Pass a frame to every outlet."""
        with self._lock:
            if frame.keyframe:
                self._gop, self._gop_bytes = [], 0
            if frame.keyframe or self._gop:
                self._gop.append(frame)
                self._gop_bytes += len(frame.data)
                if self._gop_bytes > GOP_LIMIT_BYTES:
                    self._gop, self._gop_bytes = [], 0
            for outlet in self._outlets:
                outlet.push(frame)

    def interrupted(self, reason: str) -> None:
        """Drop the kept GOP after an interruption of the source, and notify every outlet."""
        with self._lock:
            self._gop, self._gop_bytes = [], 0
            for outlet in self._outlets:
                outlet.interrupted(reason)
