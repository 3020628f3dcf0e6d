"""The wall clock as a label: readings of all clocks, and how far dates can be trusted.

Order, duration and identity come from monotonic time, boot ids and counters. A date is only shown,
and is corrected once the clock is known to be right (docs/decisions/0022).
"""

from __future__ import annotations

import ctypes
import struct
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Trust = Literal["doubtful", "plausible", "synchronised"]
"""How far a date can be trusted, lowest first."""

RANK: dict[Trust, int] = {"doubtful": 0, "plausible": 1, "synchronised": 2}

BUILT_UNIX_NS = 1_793_491_200 * 1_000_000_000
"""2026-11-01: this program did not exist before, so a clock that shows an earlier date is wrong."""

FIRST_UNIX_NS = 1_767_225_600 * 1_000_000_000
"""2026-01-01: no version of this program has recorded an earlier date from a correct clock."""

_YEAR_NS = 366 * 86_400 * 1_000_000_000
_STEPS_BACK_NS = 60 * 1_000_000_000
_TIMEX = struct.Struct("@I4li3l2l")
_TIMEX_BYTES = 512
_TIME_ERROR = 5
_AGREES_NS = 5_000_000_000


@dataclass(frozen=True)
class Reading:
    """Readings of all clocks at one moment.

    `asleep_ns` is how long the machine was suspended since boot; monotonic time stands still then.
    """

    boot_id: str
    monotonic_ns: int
    asleep_ns: int
    unix_ns: int
    synchronised: bool

    @property
    def unix_minus_monotonic_ns(self) -> int:
        """Offset from monotonic time to Unix time, as believed at this moment."""
        return self.unix_ns - self.monotonic_ns


ReadClocks = Callable[[], Reading]


def read_clocks() -> Reading:
    """Read every clock of this machine."""
    monotonic_ns, unix_ns = time.monotonic_ns(), time.time_ns()
    boottime_ns = time.clock_gettime_ns(time.CLOCK_BOOTTIME)
    return Reading(
        boot_id=boot_id(),
        monotonic_ns=monotonic_ns,
        asleep_ns=max(0, boottime_ns - monotonic_ns),
        unix_ns=unix_ns,
        synchronised=is_synchronised(unix_ns),
    )


def boot_id() -> str:
    """Return the kernel's id of this boot; monotonic times of different boots are unrelated."""
    return Path("/proc/sys/kernel/random/boot_id").read_text().strip()


def is_synchronised(unix_ns: int | None = None) -> bool:
    """Return whether a time service synchronises the kernel's clock.

    With `unix_ns`, also whether that time agrees with the kernel's.
    """
    buffer = ctypes.create_string_buffer(_TIMEX_BYTES)
    state = ctypes.CDLL(None, use_errno=True).adjtimex(buffer)
    if not 0 <= state < _TIME_ERROR:
        return False
    if unix_ns is None:
        return True
    *_, seconds, _fraction = _TIMEX.unpack_from(buffer.raw)
    return abs(int(seconds) * 1_000_000_000 - unix_ns) < _AGREES_NS


def trust_of(unix_ns: int, *, synchronised: bool, newest_unix_ns: int | None) -> Trust:
    """Return how far a date can be trusted, given the newest trusted one before. Pure.

    Without synchronisation a clock is plausible if it continues from what was known: not before the
    program was built, not backwards, and not more than a year ahead.
    """
    if synchronised:
        return "synchronised"
    if newest_unix_ns is None:
        after_ns, before_ns = BUILT_UNIX_NS, BUILT_UNIX_NS + 10 * _YEAR_NS
    else:
        after_ns = max(BUILT_UNIX_NS, newest_unix_ns - _STEPS_BACK_NS)
        before_ns = newest_unix_ns + _YEAR_NS
    return "plausible" if after_ns <= unix_ns <= before_ns else "doubtful"


def trust_now(newest_unix_ns: int | None) -> Trust:
    """Return how far the current date can be trusted, given the newest trusted one before.

    Deletion by age waits for a date that is at least plausible.
    """
    now_ns = time.time_ns()
    synchronised = is_synchronised(now_ns)
    return trust_of(now_ns, synchronised=synchronised, newest_unix_ns=newest_unix_ns)


def newest_believed(unix_ns: Iterable[int], known_ns: int | None = None) -> int | None:
    """Return the newest trusted date of a series in the order of recording. Pure.

    A date more than a year after all before it came from a clock that had jumped.
    """
    for each in unix_ns:
        if each >= FIRST_UNIX_NS and (known_ns is None or known_ns < each <= known_ns + _YEAR_NS):
            known_ns = each
    return known_ns


def find_unused_name(path: Path, kind: str) -> Path:
    """Return a free path beside `path`: `name.kind-<date>`, with a number if it is taken.

    The date is for people; a clock that was set back produces it twice.
    """
    named = f"{path.name}.{kind}-{time.strftime('%Y%m%dT%H%M%SZ', time.gmtime())}"
    found, count = path.with_name(named), 1
    while found.exists():
        count += 1
        found = path.with_name(f"{named}-{count}")
    return found
