"""Still picture of a camera: its newest keyframe, which can be decoded by itself."""

from __future__ import annotations

from collections.abc import Callable

from touchline.ipc.tee import Frame
from touchline.media.h264.units import annex_b


class StillOutlet:
    """An outlet of the tee that accepts one keyframe and calls `taken` on the pipeline's thread."""

    def __init__(self, taken: Callable[[], None]) -> None:
        self.frame: Frame | None = None
        self._taken = taken

    def push(self, frame: Frame) -> None:
        """Accept the first keyframe."""
        if frame.keyframe and self.frame is None:
            self.frame = frame
            self._taken()

    def interrupted(self, reason: str) -> None:
        """Ignore interruptions; a later keyframe serves as well."""


def still_bytes(frame: Frame) -> bytes:
    """Return the keyframe as a byte stream that any decoder can show by itself."""
    return annex_b(frame.data, frame.codec)
