"""Detection of cameras whose pictures do not arrive in presentation order. Pure."""

from __future__ import annotations

from touchline.live.frames.frame import LiveFrame
from touchline.media.h264.codec import Codec
from touchline.media.h264.syntax import SPS, read_sps
from touchline.media.h264.units import parameter_sets

PLAIN_AFTER_NS = 10_000_000_000
"""A camera without a reordered picture for this long does not reorder."""
_BASELINE = 66


class ShownOrder:
    """Detects B-frames and other pictures that are shown before one sent earlier.

    `reorders` is the current result: at first what the stream states, true from the first reordered
    picture on, and false again after some time without one.
    """

    def __init__(self) -> None:
        self.reorders = False
        self._codec: Codec | None = None
        self._possible = True
        self._newest_ns: int | None = None
        self._plain_since_ns = 0

    def see(self, frame: LiveFrame) -> bool:
        """Process the next frame in decode order; return whether `reorders` changed."""
        before = self.reorders
        if frame.codec != self._codec:
            self._describe(frame)
        if frame.broken:
            self._newest_ns = None
        newest_ns, self._newest_ns = self._newest_ns, frame.pts_ns
        if newest_ns is None:
            self._plain_since_ns = frame.pts_ns
        elif frame.pts_ns < newest_ns:
            self._newest_ns = newest_ns
            if self._possible:
                self.reorders, self._plain_since_ns = True, newest_ns
        elif self.reorders and frame.pts_ns - self._plain_since_ns > PLAIN_AFTER_NS:
            self.reorders = False
        return self.reorders is not before

    def begin(self) -> None:
        """Handle a restart of the stream; what is known about the camera stays."""
        self._newest_ns = None

    def _describe(self, frame: LiveFrame) -> None:
        """Read what the stream states about itself; a baseline stream cannot reorder."""
        self._codec = frame.codec
        self._plain_since_ns = frame.pts_ns
        stated = _stated_depth(frame.codec.avcc)
        self._possible = not (len(frame.codec.avcc) > 1 and frame.codec.avcc[1] == _BASELINE)
        if not self._possible:
            self.reorders = False
        elif stated:
            self.reorders = True


def _stated_depth(avcc: bytes) -> int:
    """Return the reordering depth that the stream states; 0 if it states none."""
    try:
        sets = [unit for unit in parameter_sets(avcc) if unit and unit[0] & 0x1F == SPS]
        return max((read_sps(unit).reorder_frames or 0 for unit in sets), default=0)
    except ValueError:
        return 0
