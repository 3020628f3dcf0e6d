"""A week of figures in rings of fixed size: the last hour finely, day and week coarsely.

Points lie on the boot clock, which no correction of the wall clock moves; dates are added on
reading (docs/decisions/0022). Points of an earlier boot keep the dates they had when saved. Pure:
nothing here reads a clock or a file.
"""

from __future__ import annotations

import math
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, cast

from touchline.core.history.answers import MetricsSeries, MetricsWindow, Range


@dataclass(frozen=True)
class Resolution:
    """Resolution of a range: the length of a step, which is averaged, and the number of steps."""

    step_s: int
    points: int

    @property
    def span_s(self) -> int:
        """Time that the range covers, in seconds."""
        return self.step_s * self.points


RESOLUTIONS: Mapping[Range, Resolution] = {
    "hour": Resolution(step_s=10, points=360),
    "day": Resolution(step_s=120, points=720),
    "week": Resolution(step_s=840, points=720),
}


@dataclass(frozen=True)
class ClockReading:
    """A boot, the seconds since it (suspension included), and what the wall clock says then."""

    boot_id: str
    boot_s: float
    unix_s: float

    @property
    def offset_s(self) -> float:
        """Offset from the boot clock to Unix time, as believed at this moment."""
        return self.unix_s - self.boot_s


Values = tuple[float | None, ...]
"""One value for each name; None if unknown."""


@dataclass
class _Mean:
    """Accumulator of the current step."""

    number: int
    sums: list[float]
    counts: list[int]

    @classmethod
    def begin(cls, number: int, size: int) -> _Mean:
        return cls(number, [0.0] * size, [0] * size)

    def add(self, values: Values) -> None:
        for n, value in enumerate(values):
            if value is not None and math.isfinite(value):
                self.sums[n] += value
                self.counts[n] += 1

    def values(self) -> Values:
        pairs = zip(self.sums, self.counts, strict=True)
        return tuple(round(total / count, 2) if count else None for total, count in pairs)


@dataclass
class _Ring:
    """Points of one resolution: of this boot by step number, of earlier boots by date."""

    resolution: Resolution
    now: deque[tuple[int, Values]] = field(default_factory=deque)
    before: deque[tuple[float, Values]] = field(default_factory=deque)
    filling: _Mean | None = None

    def add(self, boot_s: float, values: Values) -> None:
        number = int(boot_s // self.resolution.step_s)
        if self.filling is not None and number > self.filling.number:
            self.now.append((self.filling.number, self.filling.values()))
            self.filling = None
            self.trim()
        if self.filling is None:
            self.filling = _Mean.begin(number, len(values))
        self.filling.add(values)

    def trim(self) -> None:
        """Drop the oldest points by position: a wrong date deletes nothing."""
        while len(self.now) + len(self.before) > self.resolution.points:
            (self.before or self.now).popleft()

    def dated(self, now: ClockReading) -> Iterable[tuple[float, Values]]:
        """Yield everything within the range that ends now, with its date, oldest first."""
        step_s = self.resolution.step_s
        found = [(number * step_s + now.offset_s, values) for number, values in self.now]
        begin = found[0][0] if found else now.unix_s
        oldest = now.unix_s - self.resolution.span_s
        # Skip points of an earlier boot dated after this boot's start: the clock was changed.
        for at_s, values in (*((t, v) for t, v in self.before if t < begin), *found):
            if at_s >= oldest:
                yield at_s, values


class History:
    """The last week of the figures with these names."""

    def __init__(self, names: Sequence[str]) -> None:
        self.names = tuple(names)
        self._rings = {name: _Ring(each) for name, each in RESOLUTIONS.items()}

    def add(self, boot_s: float, figures: Mapping[str, float | None]) -> None:
        """Add the figures of one instant of the boot clock; a missing name is unknown."""
        values = tuple(figures.get(name) for name in self.names)
        for ring in self._rings.values():
            ring.add(boot_s, values)

    def read(self, wanted: Range, now: ClockReading) -> MetricsWindow:
        """Return the body of `GET /api/v1/metrics-history`; unknown figures are null."""
        ring = self._rings[wanted]
        step_s = ring.resolution.step_s
        times: list[float] = []
        columns: list[list[float | None]] = [[] for _ in self.names]
        for at_s, values in ring.dated(now):
            if times and at_s - times[-1] > 1.5 * step_s:
                times.append(times[-1] + step_s)
                for column in columns:
                    column.append(None)
            times.append(round(at_s, 1))
            for column, value in zip(columns, values, strict=True):
                column.append(value)
        return {
            "range": wanted,
            "step_s": step_s,
            "from": round(now.unix_s - ring.resolution.span_s, 1),
            "to": round(now.unix_s, 1),
            "times": times,
            "series": cast("MetricsSeries", dict(zip(self.names, columns, strict=True))),
        }

    # ------------------------------------------------------------- persistence

    def to_json(self, now: ClockReading) -> dict[str, Any]:
        """Return the whole history, for `restore`."""
        return {
            "version": 1,
            "boot_id": now.boot_id,
            "offset_s": now.offset_s,
            "names": list(self.names),
            "rings": {
                name: {
                    "step_s": ring.resolution.step_s,
                    "before": list(ring.before),
                    "now": list(ring.now),
                }
                for name, ring in self._rings.items()
            },
        }

    def restore(self, saved: Any, now: ClockReading) -> None:
        """Restore the history of an earlier server. Raises ValueError where it is invalid."""
        try:
            if saved["version"] != 1:
                raise ValueError(f"version {saved['version']!r}")
            places = [
                saved["names"].index(name) if name in saved["names"] else None
                for name in self.names
            ]
            same_boot = saved["boot_id"] == now.boot_id
            offset_s = _number(saved["offset_s"])
            for name, ring in self._rings.items():
                # An earlier version kept no week, and the day in steps of a minute.
                kept = saved["rings"].get(name) or saved["rings"].get("day")
                step_s = ring.resolution.step_s
                factor = 0 if kept is None else _factor(kept["step_s"], step_s)
                if not factor:
                    continue  # written differently by another version: start empty
                before = _points(kept["before"], places)
                if factor > 1:
                    before = [(n * step_s, values) for n, values in _coarser(before, step_s)]
                current = _coarser(_points(kept["now"], places), factor)
                newest = now.boot_s / step_s
                if same_boot:
                    ring.now.extend((int(at), v) for at, v in current if at < int(newest))
                else:
                    before += [(at * step_s + offset_s, values) for at, values in current]
                ring.before.extend(before)
                ring.trim()
        except (AttributeError, IndexError, KeyError, TypeError) as error:
            raise ValueError(f"its format is unknown: {error!r}") from error


def _points(kept: Sequence[Any], places: Sequence[int | None]) -> list[tuple[float, Values]]:
    """Parse points in ascending order of time; raises whatever a malformed input raises."""
    found: list[tuple[float, Values]] = []
    for at, values in kept:
        when = _number(at)
        if found and when <= found[-1][0]:
            continue
        found.append((when, tuple(None if n is None else _value(values[n]) for n in places)))
    return found


def _factor(kept_step_s: Any, step_s: int) -> int:
    """Return how many steps of the file make one of this history; 0 if there is a remainder."""
    if isinstance(kept_step_s, bool) or not isinstance(kept_step_s, int) or kept_step_s <= 0:
        return 0
    return 0 if step_s % kept_step_s else step_s // kept_step_s


def _coarser(points: Sequence[tuple[float, Values]], width: int) -> list[tuple[float, Values]]:
    """Return the means of the points in each multiple of `width`, by its number."""
    groups: dict[float, list[Values]] = {}
    for at, values in points:
        groups.setdefault(at // width, []).append(values)
    return [(number, _mean_of(group)) for number, group in groups.items()]


def _mean_of(group: Sequence[Values]) -> Values:
    mean = _Mean.begin(0, len(group[0]))
    for values in group:
        mean.add(values)
    return mean.values()


def _value(value: Any) -> float | None:
    return None if value is None else _number(value)


def _number(value: Any) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
        raise ValueError(f"{value!r} is not a number")
    return float(value)
