"""Pairing of two cameras' pictures by capture time.

Never by counting: clocks drift, frames are lost, cameras fail and return.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Generic, TypeVar

T = TypeVar("T")

HOLE_PERIODS = 3.5
"""A camera silent for longer has failed; a shorter silence means lost frames."""
_EVEN_SPACING = 1.25


@dataclass(frozen=True)
class Shot(Generic[T]):
    """A picture and its capture time (Unix nanoseconds)."""

    at_ns: int
    picture: T


@dataclass(frozen=True)
class Pairing(Generic[T]):
    """Pictures to show at one instant. A camera that had failed then is None, never both."""

    at_ns: int
    cam0: Shot[T] | None
    cam1: Shot[T] | None

    @property
    def error_ns(self) -> int:
        """Time between the two captures; 0 if there is only one."""
        if self.cam0 is None or self.cam1 is None:
            return 0
        return abs(self.cam0.at_ns - self.cam1.at_ns)


def pair_by_time(
    cam0: Iterable[Shot[T]], cam1: Iterable[Shot[T]], *, period_ns: int
) -> Iterator[Pairing[T]]:
    """Yield pairings at the instants of camera 0; both inputs must be sorted by time.

    The two pictures are never further apart than half the interval between two frames. If camera 1
    lost the matching frame, no pairing is yielded: the previous picture stays a moment longer.
    While one camera is missing, the other is shown alone. Holds only a few pictures in memory.
    """
    hole_ns = int(period_ns * HOLE_PERIODS)
    others = _Others(cam1, period_ns, hole_ns)
    last_ns: int | None = None
    for shot in cam0:
        if last_ns is None or shot.at_ns - last_ns > hole_ns:
            after_ns = None if last_ns is None else last_ns + period_ns // 2
            for lone in others.before(shot.at_ns - period_ns // 2, after_ns):
                yield Pairing(lone.at_ns, None, lone)
        last_ns = shot.at_ns
        partner, is_away = others.nearest(shot.at_ns)
        if partner is not None or is_away:
            yield Pairing(shot.at_ns, shot, partner)
    after_ns = None if last_ns is None else last_ns + period_ns // 2
    for lone in others.before(None, after_ns):
        yield Pairing(lone.at_ns, None, lone)


class _Others(Generic[T]):
    """Camera 1's shots around the requested instant; instants must increase."""

    def __init__(self, shots: Iterable[Shot[T]], period_ns: int, hole_ns: int) -> None:
        self._shots = iter(shots)
        self._period_ns = period_ns
        self._hole_ns = hole_ns
        self._before: Shot[T] | None = None
        self._ahead: deque[Shot[T]] = deque()

    def _peek(self) -> Shot[T] | None:
        if not self._ahead:
            shot = next(self._shots, None)
            if shot is None:
                return None
            self._ahead.append(shot)
        return self._ahead[0]

    def nearest(self, at_ns: int) -> tuple[Shot[T] | None, bool]:
        """Return the matching shot, or None, and whether the camera is missing at that time."""
        while (ahead := self._peek()) is not None and ahead.at_ns <= at_ns:
            self._before = self._ahead.popleft()
        before = self._before
        if before is None or ahead is None:
            only = before if ahead is None else ahead
            if only is None:
                return None, True
            fits = abs(only.at_ns - at_ns) * 2 <= self._period_ns
            return (only, False) if fits else (None, True)
        spacing_ns = ahead.at_ns - before.at_ns
        best = before if at_ns - before.at_ns <= ahead.at_ns - at_ns else ahead
        # Evenly spaced frames jitter slightly; a lost one doubles the interval.
        is_even = spacing_ns <= self._period_ns * _EVEN_SPACING
        limit_ns = spacing_ns if is_even else self._period_ns
        if abs(best.at_ns - at_ns) * 2 <= limit_ns:
            return best, False
        return None, spacing_ns > self._hole_ns

    def before(self, until_ns: int | None, after_ns: int | None) -> Iterator[Shot[T]]:
        """Yield and remove the unpaired shots up to an instant."""
        while (ahead := self._peek()) is not None:
            if until_ns is not None and ahead.at_ns >= until_ns:
                return
            self._before = self._ahead.popleft()
            if after_ns is None or ahead.at_ns > after_ns:
                yield ahead
