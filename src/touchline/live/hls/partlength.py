"""Target duration of the parts of a low-latency playlist. Pure.

Every part but a segment's last must last between 85 % and 100 % of PART-TARGET (RFC 8216bis,
4.4.4.9), and a part consists of whole frames. So the target follows from the frame interval: as
many whole frames as come closest to the requested duration, or long enough that any frame fits.
"""

from __future__ import annotations

import math
import statistics
from collections import deque
from typing import NamedTuple

LEAST_SHARE = 0.85
"""Minimum share of PART-TARGET for a part that is not its segment's last."""
_EVEN_SHARE = 0.87
"""A camera whose intervals vary less than this is regular: a fixed number of frames is a part."""
_LOST = 3.0
"""A frame that lasts this many times the usual interval indicates a loss, and is not counted."""
_SEEN_FRAMES = 120
_BETWEEN_SHARE = 0.14
"""Frames up to this share of a part fit between 85 % and 100 % of it, rounding included."""
ROUNDING_S = 0.0001
"""Upper bound of rounding to ticks and to the playlist's digits."""


class FrameSpacing(NamedTuple):
    """The shortest and the longest time between two frames, without losses."""

    shortest_s: float
    longest_s: float


class Paced:
    """Measures the time between frames."""

    def __init__(self) -> None:
        self._periods_s: deque[float] = deque(maxlen=_SEEN_FRAMES)

    def add(self, period_s: float) -> None:
        """Add the time between two consecutive frames."""
        self._periods_s.append(period_s)

    @property
    def pace(self) -> FrameSpacing | None:
        """Recent spacing of frames; None before the second frame."""
        if not self._periods_s:
            return None
        longest_s = _LOST * statistics.median_low(self._periods_s)
        usual = [period_s for period_s in self._periods_s if period_s <= longest_s]
        return FrameSpacing(min(usual), max(usual))


def fits(target_s: float, pace: FrameSpacing) -> bool:
    """Return whether parts of whole frames can last 85 % to 100 % of a duration."""
    shortest_s, longest_s = pace
    if longest_s <= _BETWEEN_SHARE * target_s:
        return True
    frames = int((target_s - ROUNDING_S) / longest_s)
    even = shortest_s >= _EVEN_SHARE * longest_s
    return even and frames > 0 and frames * shortest_s >= LEAST_SHARE * target_s


def part_target_s(asked_s: float, pace: FrameSpacing, most_s: float) -> float:
    """Return the target duration of parts for frames of this pace, at most `most_s`."""
    if fits(asked_s, pace):
        return asked_s
    shortest_s, longest_s = pace
    if shortest_s >= _EVEN_SHARE * longest_s:
        return max(1, round(asked_s / longest_s)) * longest_s + 5 * ROUNDING_S
    return max(asked_s, min(longest_s / _BETWEEN_SHARE, most_s))


def printed_ms(target_s: float) -> int:
    """Return the target as printed in playlists: milliseconds, rounded up."""
    return math.ceil(target_s * 1000 - 1e-6)
