"""A single picture of a camera: its newest keyframe, which needs no other frame to be shown."""

from __future__ import annotations

from collections.abc import Callable

from touchline.ipc.tee import Frame
from touchline.media.h264.units import annex_b


class Still:
    """An outlet of the tee that takes one keyframe and calls `taken` on the pipeline's thread."""

    def __init__(self, taken: Callable[[], None]) -> None:
        self.frame: Frame | None = None
        self._taken = taken

    def push(self, frame: Frame) -> None:
        """Take the first keyframe that comes."""
        if frame.keyframe and self.frame is None:
            self.frame = frame
            self._taken()

    def interrupted(self, reason: str) -> None:
        """A later keyframe does as well."""


def still_bytes(frame: Frame) -> bytes:
    """The keyframe as a byte stream that any decoder shows by itself."""
    return annex_b(frame.data, frame.codec)
