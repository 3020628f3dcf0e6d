"""The interval between pictures, estimated from their timestamps. Standard library only."""

from __future__ import annotations

from collections import deque
from itertools import pairwise

LEAST_NS, MOST_NS = 1_000_000, 2_000_000_000
USUAL_NS = 40_000_000
_WINDOW = 17


class FrameRate:
    """Estimates the interval from the last 17 pictures; before that, from the stated rate."""

    def __init__(self) -> None:
        self.interval_ns = USUAL_NS
        self._seen: deque[tuple[int, int]] = deque(maxlen=_WINDOW)

    def forget(self) -> None:
        """Discard the times so far, because later ones do not continue them; keep the interval."""
        self._seen.clear()

    def see(
        self, at_ns: int, arrived_ns: int, *, step_ns: int | None, stated_ns: int | None
    ) -> None:
        """Process the next picture in decode order.

        `step_ns` is the interval derived from the picture shown before it, `stated_ns` the one that
        the stream states. Where timestamps do not advance, arrival times are used.
        """
        self._seen.append((at_ns, arrived_ns))
        count = len(self._seen) - 1
        if count < _WINDOW // 2:
            if stated_ns is not None:
                self.interval_ns = stated_ns
            elif count == 1 and step_ns is not None and LEAST_NS <= step_ns <= MOST_NS:
                self.interval_ns = step_ns
            return
        times = sorted(at for at, _ in self._seen)
        steps = sorted(b - a for a, b in pairwise(times))
        span_ns = times[-1] - times[0]
        if span_ns < count * LEAST_NS:
            found_ns = stated_ns or (arrived_ns - self._seen[0][1]) // count
        elif steps[count // 3] < LEAST_NS:
            apart = [step for step in steps if step >= LEAST_NS]
            pictures = round(len(times) / (len(apart) + 1))  # pictures that share a timestamp
            found_ns = apart[len(apart) // 2] // pictures
        else:
            found_ns = steps[count // 2]
        if LEAST_NS <= found_ns <= MOST_NS:
            self.interval_ns = found_ns
