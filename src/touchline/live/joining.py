"""Whether players can begin at a camera's keyframes. Pure.

Of a camera with open GOPs some pictures follow a keyframe, are shown before it, and refer to the
GOP before. A player that begins at that keyframe lacks what they refer to. Most decoders leave them
out or show them damaged; where others refer to them, some give up, Chromium's among them.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from touchline.worker.h264 import length_bytes, units

if TYPE_CHECKING:
    from touchline.live.frames import Frame

WHOLE_AFTER_KEYFRAMES = 5
"""A camera whose last GOPs, so many of them, had no such picture is one to begin at again."""
_IDR, _NRI, _TYPE = 5, 0x60, 0x1F


class Joining:
    """Finds out whether a stream's keyframes are followed by pictures that need what was before.

    `possible` is true until the first such picture that others refer to.
    """

    def __init__(self) -> None:
        self.possible = True
        self._keyframe_ns: int | None = None
        self._whole = 0

    def see(self, frame: Frame) -> bool:
        """Take the next frame in the order of decoding; returns whether `possible` changed."""
        before = self.possible
        if frame.keyframe:
            self._keyframe_ns = frame.pts_ns
            self._whole += 1
            if self._whole > WHOLE_AFTER_KEYFRAMES:
                self.possible = True
        elif self._needs_what_was_before(frame):
            self.possible, self._whole = False, 0
        return self.possible is not before

    def begin(self) -> None:
        """What follows does not continue what was seen; what is known of the camera stays."""
        self._keyframe_ns = None

    def _needs_what_was_before(self, frame: Frame) -> bool:
        if self._keyframe_ns is None or frame.pts_ns >= self._keyframe_ns:
            return False
        try:
            return is_referenced(frame)
        except ValueError:  # whoever passes it on will say so
            return False


def is_referenced(frame: Frame) -> bool:
    """Whether other frames are predicted from this one; a frame that is not may be left out.

    Raises ValueError where the frame's lengths lead outside of it.
    """
    return any(
        unit[0] & _NRI
        for unit in units(frame.data, length_bytes(frame.codec.avcc))
        if unit[0] & _TYPE <= _IDR
    )
