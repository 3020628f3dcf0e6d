"""Detection of cameras at whose keyframes not every player can start. Pure.

A camera may send keyframes that are not IDR pictures (open GOPs). If its B-frames are used as
references as well, pictures after such a keyframe manage references from before it (memory
management control operations). A player that starts there never received those: most decoders
continue, but some, Chromium's among them, consider the stream damaged and give up.
"""

from __future__ import annotations

from touchline.live.frames.frame import LiveFrame
from touchline.media.h264.units import is_idr_frame, length_bytes, units

FORGET_AFTER_KEYFRAMES = 5
"""A property not seen for this many GOPs is considered absent."""
_IDR, _NRI, _TYPE = 5, 0x60, 0x1F


class Joining:
    """Detects keyframes that are not IDR pictures, and B-frames used as references.

    `possible` is true until both have been seen.
    """

    def __init__(self) -> None:
        self.possible = True
        self._newest_ns: int | None = None
        # Keyframes since each was last seen; None: never.
        self._since_open: int | None = None
        self._since_reference: int | None = None

    def see(self, frame: LiveFrame) -> bool:
        """Process the next frame in decode order; return whether `possible` changed."""
        if frame.keyframe:
            self._since_open = _later(self._since_open)
            self._since_reference = _later(self._since_reference)
            if not is_idr_frame(frame.data, length_bytes(frame.codec.avcc)):
                self._since_open = 0
        newest_ns = self._newest_ns
        if newest_ns is None or frame.broken or frame.pts_ns > newest_ns:
            self._newest_ns = frame.pts_ns
        elif not frame.keyframe and _refers(frame):
            self._since_reference = 0
        before = self.possible
        self.possible = self._since_open is None or self._since_reference is None
        return self.possible is not before

    def begin(self) -> None:
        """Handle a restart of the stream; what is known about the camera stays."""
        self._newest_ns = None


def _later(keyframes: int | None) -> int | None:
    if keyframes is None or keyframes >= FORGET_AFTER_KEYFRAMES:
        return None
    return keyframes + 1


def _refers(frame: LiveFrame) -> bool:
    try:
        return is_referenced(frame)
    except ValueError:  # reported by the reader that passes it on
        return False


def is_referenced(frame: LiveFrame) -> bool:
    """Return whether other frames are predicted from this one, so that it must be kept.

    Raises ValueError if unit lengths exceed the frame.
    """
    return any(
        unit[0] & _NRI
        for unit in units(frame.data, length_bytes(frame.codec.avcc))
        if unit[0] & _TYPE <= _IDR
    )
