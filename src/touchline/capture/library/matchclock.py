"""Position of a match's parts on its single time axis, and the age of a match. Pure.

The axis (the match clock) starts at the wall clock's time when the match was first started, and
continues with monotonic time. A part that is recorded after a restart of the machine lies after all
earlier footage, regardless of the wall clock.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from touchline.capture.library.manifest.manifest import Manifest, Part
from touchline.core.wallclock import RANK, Reading, Trust

UNKNOWN_PAUSE_NS = 1_000_000_000
"""Nanoseconds that stand for a pause of unknown length."""

LONGEST_BELIEVED_NS = 15 * 60 * 1_000_000_000
"""Longest pause that is accepted from clocks that are not both synchronised.

Wrong time zones and clocks without a battery are further apart.
"""

STEP_NS = 500_000_000
"""Movement of the clock that counts as a step; less is drift."""


class PartPlace(NamedTuple):
    """Start of a part on the match clock, and whether the pause before it has a known length."""

    start_ns: int
    pause_known: bool


def place_part(before: Manifest | None, now: Reading, trust: Trust) -> PartPlace:
    """Return the place on the match clock of a part that begins now.

    It lies after everything that is already there.
    """
    last = None if before is None else last_footage_ns(before)
    if before is None or last is None:
        return PartPlace(now.unix_ns, pause_known=True)
    part = last_part(before)
    if part is not None and part.boot_id == now.boot_id:
        at_ns = now.monotonic_ns + part.match_minus_monotonic_ns
        if at_ns > last:
            return PartPlace(at_ns, pause_known=True)
    pause_ns = _estimate_pause_ns(part, last, now, trust, LONGEST_BELIEVED_NS)
    if pause_ns is None:
        return PartPlace(last + UNKNOWN_PAUSE_NS, pause_known=False)
    return PartPlace(last + max(pause_ns, 1), pause_known=True)


def begin_part(
    before: Manifest | None, now: Reading, trust: Trust, *, over: bool, lead_ns: int
) -> Part:
    """Return the part that begins `lead_ns` from now, after what was recorded before.

    `over` says that the earlier recording ended normally and is not resumed.
    """
    place = place_part(before, now, trust)
    return Part(
        number=len(parts_before(before, over=over)) + 1 if before is not None else 1,
        boot_id=now.boot_id,
        start_ns=place.start_ns + lead_ns,
        start_monotonic_ns=now.monotonic_ns + lead_ns,
        unix_minus_monotonic_ns=now.unix_minus_monotonic_ns,
        trust=trust,
        pause_known=place.pause_known,
    )


def _estimate_pause_ns(
    part: Part | None, last_ns: int, now: Reading, trust: Trust, longest_ns: int | None
) -> int | None:
    """Return the time since `last_ns` by two wall clocks; None if they are not trusted."""
    if part is None or "doubtful" in {part.trust, trust}:
        return None
    pause_ns = now.unix_ns - (last_ns + part.unix_minus_match_ns)
    if pause_ns < 0:
        return None
    if part.trust == trust == "synchronised" or longest_ns is None or pause_ns <= longest_ns:
        return pause_ns
    return None


def may_resume(before: Manifest, now: Reading, trust: Trust, *, max_match_s: float) -> bool:
    """Return whether an interrupted match is recent enough to be still in play.

    In doubt the answer is yes: recording too much costs space, recording too little costs the
    match.
    """
    last = last_footage_ns(before)
    if before.clock is None or last is None:
        return False
    part = last_part(before)
    age_ns = last - before.origin_ns
    if part is not None and part.boot_id == now.boot_id:
        age_ns = max(age_ns, now.monotonic_ns + part.match_minus_monotonic_ns - before.origin_ns)
    elif part is None or (part.trust != "synchronised" and trust == "synchronised"):
        pass  # the clock was set in between, so the difference is not the pause
    else:
        age_ns += _estimate_pause_ns(part, last, now, trust, None) or 0
    return age_ns < max_match_s * 1e9


def last_footage_ns(manifest: Manifest) -> int | None:
    """Return the capture time of a match's last frame (match clock), as far as it is known."""
    if manifest.clock is None:
        return None
    ends = [s.end_unix_ns for s in manifest.segments if s.end_unix_ns is not None]
    if manifest.ended_unix_ns is not None:
        ends.append(manifest.ended_unix_ns)
    return max([manifest.clock.start_unix_ns, *ends])


def last_part(manifest: Manifest) -> Part | None:
    """Return the part recorded last; None if nothing was recorded.

    A match of version 0.1.0 is one part, and one whose manifest was lost is of an unknown boot.
    """
    if manifest.parts:
        return manifest.parts[-1]
    clock = manifest.clock
    if clock is None:
        return None
    monotonic_ns = clock.start_monotonic_ns or 0
    return Part(
        number=1,
        boot_id=(clock.boot_id or "") if clock.start_monotonic_ns is not None else "",
        start_ns=clock.start_unix_ns,
        start_monotonic_ns=monotonic_ns,
        unix_minus_monotonic_ns=clock.start_unix_ns - monotonic_ns,
        trust="plausible",
        pause_known=True,
    )


def parts_before(before: Manifest, *, over: bool) -> tuple[Part, ...]:
    """Return the parts that a match has so far.

    With `over` the last of them ended as intended.
    """
    part = last_part(before)
    if part is None:
        return ()
    if over and part.ended_ns is None:
        part = part.model_copy(update={"ended_ns": last_footage_ns(before)})
    if not before.parts and before.origin_ns < part.start_ns:
        return (_restore_moved_clock(before, part), part.model_copy(update={"number": 2}))
    return (*before.parts[:-1], part)


def _restore_moved_clock(before: Manifest, part: Part) -> Part:
    """Return the part of version 0.1.0 from before it moved the clock of a restarted match."""
    ends = [s.end_unix_ns for s in before.segments if s.end_unix_ns is not None]
    return part.model_copy(
        update={
            "boot_id": "",
            "start_ns": before.origin_ns,
            "start_monotonic_ns": before.origin_ns,
            "unix_minus_monotonic_ns": 0,
            "ended_ns": max((end for end in ends if end <= part.start_ns), default=part.start_ns),
        }
    )


def correction_ns(parts: Sequence[Part]) -> int:
    """Return the offset from the match clock to Unix time, one number for the whole match.

    It is taken from the first part with the most trusted clock.
    """
    if not parts:
        return 0
    best = max(parts, key=lambda part: (RANK[part.trust], -part.number))
    return best.unix_minus_match_ns


def corrected(part: Part, now: Reading, trust: Trust, *, slept_ns: int) -> Part | None:
    """Return the part with the current wall clock; None if nothing changed.

    A changed clock is adopted unless it is trusted less than before. Time in which the machine was
    suspended (`slept_ns`, since the last check) does not count as a change.
    """
    if RANK[trust] < RANK[part.trust]:
        return None
    unix_minus_monotonic_ns = now.unix_minus_monotonic_ns - slept_ns
    stepped = abs(unix_minus_monotonic_ns - part.unix_minus_monotonic_ns) > STEP_NS
    if not stepped and trust == part.trust:
        return None
    if not stepped:
        unix_minus_monotonic_ns = part.unix_minus_monotonic_ns
    update = {"unix_minus_monotonic_ns": unix_minus_monotonic_ns, "trust": trust}
    return part.model_copy(update=update)
