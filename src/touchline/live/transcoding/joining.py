"""Whether players can begin at a camera's keyframes. Pure.

A camera may send keyframes that are no IDR pictures (open GOPs). Where its B-frames are referred to
as well, pictures behind such a keyframe manage references of before it (memory management control
operations). A player that begins there never got those: most decoders go on, but some take it for a
damaged stream and give up, Chromium's among them.
"""

from __future__ import annotations

from touchline.live.frames.frame import LiveFrame
from touchline.media.h264.units import begins_anew, length_bytes, units

FORGET_AFTER_KEYFRAMES = 5
"""What was not seen for so many GOPs, the camera does no longer."""
_IDR, _NRI, _TYPE = 5, 0x60, 0x1F


class Joining:
    """Finds out whether a stream has keyframes without IDR and B-frames that others refer to.

    `possible` is true until both were seen.
    """

    def __init__(self) -> None:
        self.possible = True
        self._newest_ns: int | None = None
        # Keyframes since each was seen last; None: never.
        self._since_open: int | None = None
        self._since_reference: int | None = None

    def see(self, frame: LiveFrame) -> bool:
        """Take the next frame in the order of decoding; returns whether `possible` changed."""
        if frame.keyframe:
            self._since_open = _later(self._since_open)
            self._since_reference = _later(self._since_reference)
            if not begins_anew(frame.data, length_bytes(frame.codec.avcc)):
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
        """Note that the stream begins anew; what is known of the camera stays."""
        self._newest_ns = None


def _later(keyframes: int | None) -> int | None:
    if keyframes is None or keyframes >= FORGET_AFTER_KEYFRAMES:
        return None
    return keyframes + 1


def _refers(frame: LiveFrame) -> bool:
    try:
        return is_referenced(frame)
    except ValueError:  # whoever passes it on will say so
        return False


def is_referenced(frame: LiveFrame) -> bool:
    """Return whether other frames are predicted from this one, so that it must be kept.

    Raises ValueError where the frame's lengths lead outside of it.
    """
    return any(
        unit[0] & _NRI
        for unit in units(frame.data, length_bytes(frame.codec.avcc))
        if unit[0] & _TYPE <= _IDR
    )
