"""Mapping of a camera's clock to CLOCK_MONOTONIC: exact intervals, slow drift correction.

No picture can arrive before it was captured, so the earliest arrivals within a period show the
offset of the camera's clock; late arrivals, delayed by a network, carry no information. Every 5 s
the rate is corrected by what the last 10 s show. Deviations under 2 ms are not corrected. The
camera's intervals are changed by at most 3 %; a clock that is off by 200 ppm is followed within 7
ms, one by 4,000 ppm within 0.12 s, and after some minutes within 5 ms. One that is off by more than
5,000 ppm is detected within 6 s, because each second is late, or early, by the same amount.
"""

from __future__ import annotations

from itertools import pairwise

WINDOW_NS = 5_000_000_000
MOST_RATE = 0.03
_LOOK_NS, _LOOKS, _WRONG = 1_000_000_000, 6, 0.005
_DEAD_S = 0.002
_PROPORTIONAL, _INTEGRAL = 1 / 30, 1 / 3600
_MOST_PROPORTIONAL = 0.005
_MOST_LEARNED_S, _HELD_UP_S = 0.1, 1.0


class CameraClock:
    """A linear mapping from media time to monotonic time, adjusted a little at each correction."""

    def __init__(self) -> None:
        self.anchored = False
        self.rate = 0.0
        """How much slower than the local clock the camera's clock runs, as currently followed."""
        self._drift = 0.0
        self._base_media_ns = self._base_ns = 0
        self._top_media_ns = 0
        self._window_began_ns = 0
        self._low_ns: int | None = None
        self._low_before_ns: int | None = None
        self._looks: list[tuple[int, int]] = []
        """Start of each of the last seconds, and its earliest arrival."""

    def anchor(self, media_ns: int, at_ns: int) -> None:
        """Start the mapping: this media time corresponds to that monotonic time."""
        self.anchored = True
        self._base_media_ns = self._top_media_ns = media_ns
        self._base_ns = self._window_began_ns = at_ns
        self._low_ns = self._low_before_ns = None
        self._looks.clear()

    def at(self, media_ns: int) -> int:
        """Return the monotonic time of a media time."""
        since_ns = media_ns - self._base_media_ns
        return self._base_ns + since_ns + round(since_ns * self.rate)

    def arrived(self, media_ns: int, arrived_ns: int) -> None:
        """Record the arrival of a picture with that media time."""
        self._top_media_ns = max(self._top_media_ns, media_ns)
        late_ns = arrived_ns - self.at(media_ns)
        self._low_ns = late_ns if self._low_ns is None else min(self._low_ns, late_ns)
        if self._rate_is_wrong(arrived_ns, late_ns):
            self._window_began_ns, self._low_ns, self._low_before_ns = arrived_ns, None, None
            self._looks.clear()
        elif arrived_ns - self._window_began_ns >= WINDOW_NS:
            self._correct(arrived_ns, self._low_ns)

    def _rate_is_wrong(self, now_ns: int, late_ns: int) -> bool:
        """Return whether the clock's rate is far off: every second deviates like the one before.

        The mapping is adjusted then.
        """
        looks = self._looks
        if not looks or now_ns - looks[-1][0] >= 2 * _LOOK_NS:
            self._looks = [(now_ns, late_ns)]
            return False
        if now_ns - looks[-1][0] < _LOOK_NS:
            looks[-1] = looks[-1][0], min(looks[-1][1], late_ns)
            return False
        if len(looks) == _LOOKS:
            slopes = sorted((b[1] - a[1]) / (b[0] - a[0]) for a, b in pairwise(looks))
            low, high = slopes[0], slopes[-1]
            if (low > _WRONG and high < 1.5 * low) or (high < -_WRONG and low > 1.5 * high):
                self._drift = _clamp(self._drift + slopes[_LOOKS // 2], MOST_RATE)
                self._change_rate(self._drift)
                return True
            looks.pop(0)
        looks.append((now_ns, late_ns))
        return False

    def _change_rate(self, rate: float) -> None:
        """Continue from the newest picture at another rate."""
        self._base_ns = self.at(self._top_media_ns)
        self._base_media_ns = self._top_media_ns
        self.rate = rate

    def _correct(self, now_ns: int, low_ns: int) -> None:
        before_ns = self._low_before_ns
        self._window_began_ns = now_ns
        self._low_ns, self._low_before_ns = None, low_ns
        if low_ns > 0:
            if before_ns is None:
                return
            low_ns = min(low_ns, max(before_ns, 0))
        error_s = low_ns / 1e9
        error_s = max(error_s - _DEAD_S, 0.0) if error_s > 0 else min(error_s + _DEAD_S, 0.0)
        if abs(error_s) < _HELD_UP_S:
            learned_s = _clamp(error_s, _MOST_LEARNED_S)
            self._drift = _clamp(self._drift + learned_s * _INTEGRAL * WINDOW_NS / 1e9, MOST_RATE)
        proportional = _clamp(error_s * _PROPORTIONAL, _MOST_PROPORTIONAL)
        self._change_rate(_clamp(self._drift + proportional, MOST_RATE))


def _clamp(value: float, most: float) -> float:
    return max(-most, min(value, most))
