"""Where the parts of a match lie on its one time axis, and how old a match is. Pure.

The axis (the match clock) begins with what the wall clock said when the match was first started,
and goes on with monotonic time. A part that is recorded after a restart of the machine lies behind
all footage before it, whatever the wall clock says by then.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from touchline.capture.library.manifest.manifest import Manifest, Part
from touchline.core.wallclock import RANK, Reading, Trust

UNKNOWN_PAUSE_NS = 1_000_000_000
"""How long a pause counts whose length nobody knows."""

LONGEST_BELIEVED_NS = 15 * 60 * 1_000_000_000
"""A pause that two clocks tell which no service keeps: time zones that were set wrong are further
apart, and so are clocks without a battery."""

STEP_NS = 500_000_000
"""A clock that moved by more was set; by less, it drifted."""


class Place(NamedTuple):
    """Where a part begins on the match clock; whether the pause before has a known length."""

    start_ns: int
    pause_known: bool


def place_part(before: Manifest | None, now: Reading, trust: Trust) -> Place:
    """Where on the match clock a part lies that begins now; after everything that is there."""
    last = None if before is None else last_footage_ns(before)
    if before is None or last is None:
        return Place(now.unix_ns, pause_known=True)
    part = last_part(before)
    if part is not None and part.boot_id == now.boot_id:
        at_ns = now.monotonic_ns + part.match_minus_monotonic_ns
        if at_ns > last:
            return Place(at_ns, pause_known=True)
    pause_ns = _believed_pause_ns(part, last, now, trust, LONGEST_BELIEVED_NS)
    if pause_ns is None:
        return Place(last + UNKNOWN_PAUSE_NS, pause_known=False)
    return Place(last + max(pause_ns, 1), pause_known=True)


def begin_part(
    before: Manifest | None, now: Reading, trust: Trust, *, over: bool, lead_ns: int
) -> Part:
    """Return the part that begins `lead_ns` from now, behind what was recorded before.

    `over` says that this ended in order, and is not gone on with.
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


def _believed_pause_ns(
    part: Part | None, last_ns: int, now: Reading, trust: Trust, longest_ns: int | None
) -> int | None:
    """How long it is since `last_ns` as two wall clocks tell; None where they are not believed."""
    if part is None or "doubtful" in {part.trust, trust}:
        return None
    pause_ns = now.unix_ns - (last_ns + part.unix_minus_match_ns)
    if pause_ns < 0:
        return None
    if part.trust == trust == "synchronised" or longest_ns is None or pause_ns <= longest_ns:
        return pause_ns
    return None


def may_resume(before: Manifest, now: Reading, trust: Trust, *, max_match_s: float) -> bool:
    """Whether an interrupted match is young enough to still be played, as far as can be known.

    In doubt it is: recording too much costs space, recording too little costs the match.
    """
    last = last_footage_ns(before)
    if before.clock is None or last is None:
        return False
    part = last_part(before)
    age_ns = last - before.origin_ns
    if part is not None and part.boot_id == now.boot_id:
        age_ns = max(age_ns, now.monotonic_ns + part.match_minus_monotonic_ns - before.origin_ns)
    elif part is None or (part.trust != "synchronised" and trust == "synchronised"):
        pass  # the clock was set in between: the difference says more of that than of the pause
    else:
        age_ns += _believed_pause_ns(part, last, now, trust, None) or 0
    return age_ns < max_match_s * 1e9


def last_footage_ns(manifest: Manifest) -> int | None:
    """When the last frame of a match was captured (match clock), as far as is known."""
    if manifest.clock is None:
        return None
    ends = [s.end_unix_ns for s in manifest.segments if s.end_unix_ns is not None]
    if manifest.ended_unix_ns is not None:
        ends.append(manifest.ended_unix_ns)
    return max([manifest.clock.start_unix_ns, *ends])


def last_part(manifest: Manifest) -> Part | None:
    """The part recorded last; None where nothing was.

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
    """The parts that a match has so far; with `over` the last of them ended as it was meant to."""
    part = last_part(before)
    if part is None:
        return ()
    if over and part.ended_ns is None:
        part = part.model_copy(update={"ended_ns": last_footage_ns(before)})
    if not before.parts and before.origin_ns < part.start_ns:
        return (_moved_clock(before, part), part.model_copy(update={"number": 2}))
    return (*before.parts[:-1], part)


def _moved_clock(before: Manifest, part: Part) -> Part:
    """What version 0.1.0 recorded before it moved the clock of a match that was started again."""
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
    """What is added to the match clock to give Unix time: one number for the whole match.

    The first part whose clock is believed most says it.
    """
    if not parts:
        return 0
    best = max(parts, key=lambda part: (RANK[part.trust], -part.number))
    return best.unix_minus_match_ns


def corrected(part: Part, now: Reading, trust: Trust, *, slept_ns: int) -> Part | None:
    """The part with the wall clock as it is known now; None where that is no news.

    A clock is followed when it was set, unless it is believed less than before. Time for which the
    machine slept (`slept_ns`, since the part was last looked at) is no step.
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
