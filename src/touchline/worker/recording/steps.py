"""Steps from frame to frame, by which a hole in the footage is told from a slow camera."""

from __future__ import annotations

from collections import deque
from statistics import median_low

from touchline.ipc.tee import Frame
from touchline.ipc.wire import LEAST_HOLE_NS

_REMEMBERED = 15
_OF_THE_USUAL = 4
"""A hole is longer than this many usual steps: a camera of two pictures a second has none."""


class FrameSteps:
    """Newest decode-time steps of a camera. A few long ones do not make it a slow camera."""

    def __init__(self) -> None:
        self._steps: deque[int] = deque(maxlen=_REMEMBERED)

    def is_hole(self, last: Frame, frame: Frame) -> bool:
        """Return whether footage is missing between two frames, and remember the step."""
        step_ns = frame.dts_ns - last.dts_ns
        found = step_ns >= self._limit_ns(last)
        self._steps.append(step_ns)
        return found

    def length_ns(self, last: Frame) -> int:
        """Return how long the last frame before a pause is shown.

        What a source states as its duration can include the pause.
        """
        return max(1, min(last.duration_ns, self._limit_ns(last)))

    def _limit_ns(self, last: Frame) -> int:
        usual_ns = median_low(self._steps) if self._steps else last.duration_ns
        return max(LEAST_HOLE_NS, _OF_THE_USUAL * usual_ns)
