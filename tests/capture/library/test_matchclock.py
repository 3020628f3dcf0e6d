from __future__ import annotations

from typing import Any

import pytest

from touchline.capture.library import matchclock
from touchline.capture.library.manifest.manifest import Manifest, MatchClock, Part, SegmentRecord
from touchline.core.wallclock import Reading, Trust

S = 1_000_000_000
YEAR = 366 * 86_400
T = 1_795_000_000
"""When the match of these tests began."""


def part(*, trust: Trust = "plausible", wall_off_s: float = 0, **more: Any) -> Part:
    facts: dict[str, Any] = {
        "number": 1,
        "boot_id": "one",
        "start_ns": T * S,
        "start_monotonic_ns": 100 * S,
        "unix_minus_monotonic_ns": int((T - 100 + wall_off_s) * S),
        "trust": trust,
        "pause_known": True,
        **more,
    }
    return Part(**facts)


def manifest(*parts: Part, until_s: float = 60) -> Manifest:
    segment = SegmentRecord(
        name="cam0_20261118_000000_00.mp4",
        camera="cam0",
        index=0,
        start_unix_ns=T * S,
        end_unix_ns=int((T + until_s) * S),
    )
    clock = MatchClock(start_unix_ns=T * S, start_monotonic_ns=100 * S, boot_id="one")
    return Manifest(match_id="m1", state="recording", clock=clock, parts=parts, segments=(segment,))


def now(wall_s: float, *, boot: str = "two", monotonic_s: float = 30) -> Reading:
    return Reading(
        boot_id=boot,
        monotonic_ns=int(monotonic_s * S),
        asleep_ns=0,
        unix_ns=int(wall_s * S),
        synchronised=False,
    )


# ------------------------------------------------------------------ where a part begins


def test_a_first_part_begins_with_the_wall_clock_whatever_it_says() -> None:
    assert matchclock.place_part(None, now(35), "doubtful") == (35 * S, True)


@pytest.mark.parametrize("over", [True, False])
def test_a_part_begins_behind_those_before_it_and_with_the_lead_that_workers_need(
    over: bool,  # noqa: FBT001
) -> None:
    reading = now(T + 75, boot="one", monotonic_s=175)
    begun = matchclock.begin_part(manifest(part()), reading, "plausible", over=over, lead_ns=S)
    assert (begun.number, begun.boot_id, begun.pause_known) == (2, "one", True)
    assert (begun.start_ns, begun.start_monotonic_ns) == ((T + 76) * S, 176 * S)
    assert begun.unix_minus_monotonic_ns == (T - 100) * S
    first = matchclock.begin_part(None, now(35), "doubtful", over=False, lead_ns=S)
    assert (first.number, first.start_ns, first.trust) == (1, 36 * S, "doubtful")


@pytest.mark.parametrize("wall_s", [T + 70, T - 3600, 35, T + 50 * YEAR])
def test_within_a_boot_monotonic_time_places_a_part(wall_s: float) -> None:
    reading = now(wall_s, boot="one", monotonic_s=175)
    assert matchclock.place_part(manifest(part()), reading, "doubtful") == ((T + 75) * S, True)
    old = manifest()  # of version 0.1.0, which had no parts
    assert matchclock.place_part(old, reading, "doubtful") == ((T + 75) * S, True)


@pytest.mark.parametrize(
    ("before", "wall_s", "trust", "pause_s"),
    [
        ("synchronised", T + 90, "synchronised", 30),
        ("synchronised", T + 7260, "synchronised", 7200),
        ("plausible", T + 90, "plausible", 30),
        ("plausible", T + 90, "synchronised", 30),
        ("plausible", T + 60 + 901, "plausible", None),  # an hour that a zone is off is no pause
        ("plausible", T + 59, "plausible", None),  # between start and last footage
        ("plausible", T - 3600, "plausible", None),
        ("synchronised", T - 3600, "synchronised", None),
        ("doubtful", T + 90, "synchronised", None),  # it was set in between
        ("plausible", T + 90, "doubtful", None),
        ("plausible", 35, "doubtful", None),
        ("plausible", T + 50 * YEAR, "doubtful", None),
    ],
)
def test_after_a_power_cut_a_part_lies_behind_all_footage(
    before: Trust, wall_s: float, trust: Trust, pause_s: float | None
) -> None:
    found = matchclock.place_part(manifest(part(trust=before)), now(wall_s), trust)
    if pause_s is None:
        assert found == ((T + 60) * S + matchclock.UNKNOWN_PAUSE_NS, False)
    else:
        assert found == ((T + 60 + pause_s) * S, True)


def test_monotonic_time_that_does_not_reach_the_footage_is_not_that_of_the_boot() -> None:
    reading = now(T + 70, boot="one", monotonic_s=3)  # a time namespace of its own
    assert matchclock.place_part(manifest(part()), reading, "plausible") == ((T + 70) * S, True)


# ------------------------------------------------------------------ how old a match is


@pytest.mark.parametrize(
    ("before", "wall_s", "trust", "may"),
    [
        ("plausible", T + 90, "plausible", True),
        ("plausible", T - 3600, "plausible", True),
        ("plausible", 35, "doubtful", True),
        ("plausible", T + 50 * YEAR, "doubtful", True),
        ("doubtful", T + 50 * YEAR, "synchronised", True),  # it began at 1970, NTP came since
        ("plausible", T + 86_400, "synchronised", True),  # nobody kept the clock before
        ("plausible", T + 86_400, "plausible", False),
        ("synchronised", T + 86_400, "plausible", False),
        ("synchronised", T + 86_400, "synchronised", False),
        ("synchronised", T + 7000, "synchronised", True),
    ],
)
def test_a_match_is_resumed_unless_it_is_known_to_be_too_old(
    before: Trust,
    wall_s: float,
    trust: Trust,
    may: bool,  # noqa: FBT001
) -> None:
    found = manifest(part(trust=before))
    assert matchclock.may_resume(found, now(wall_s), trust, max_match_s=7200) is may


@pytest.mark.parametrize(("monotonic_s", "may"), [(161, True), (7299, True), (7301, False)])
def test_within_a_boot_monotonic_time_says_how_old_a_match_is(
    monotonic_s: float,
    may: bool,  # noqa: FBT001
) -> None:
    reading = now(35, boot="one", monotonic_s=monotonic_s)
    assert matchclock.may_resume(manifest(part()), reading, "doubtful", max_match_s=7200) is may


def test_what_was_recorded_counts_whatever_the_clock_says() -> None:
    found = manifest(part(), until_s=7300)
    assert not matchclock.may_resume(found, now(35), "doubtful", max_match_s=7200)


def test_a_match_without_a_clock_is_not_resumed() -> None:
    found = Manifest(match_id="m1", state="recording")
    assert not matchclock.may_resume(found, now(T), "plausible", max_match_s=1e9)


def test_without_footage_a_match_ended_when_it_began() -> None:
    found = Manifest(match_id="m1", state="recording", clock=MatchClock(start_unix_ns=7))
    assert matchclock.last_footage_ns(found) == 7


# ------------------------------------------------------------------ dates


@pytest.mark.parametrize(
    ("before", "wall_s", "trust", "shift_s"),
    [
        ("doubtful", T + 130, "synchronised", 100),
        ("plausible", T + 130, "plausible", 100),
        ("plausible", T - 3570, "synchronised", -3600),
        ("plausible", T - 3570, "doubtful", None),
        ("plausible", 35, "doubtful", None),
        ("synchronised", T + 130, "plausible", None),
        ("plausible", T + 30.4, "plausible", None),  # it drifts
        ("plausible", T + 30.4, "synchronised", 0),
    ],
)
def test_dates_follow_a_clock_that_was_set_and_is_not_believed_less(
    before: Trust, wall_s: float, trust: Trust, shift_s: float | None
) -> None:
    it = part(trust=before)
    reading = now(wall_s, boot="one", monotonic_s=130)
    found = matchclock.corrected(it, reading, trust, slept_ns=0)
    if shift_s is None:
        assert found is None
        return
    assert found is not None
    assert found.trust == trust
    assert found.unix_minus_match_ns == shift_s * S
    assert found.match_minus_monotonic_ns == it.match_minus_monotonic_ns


def test_a_machine_that_slept_did_not_set_its_clock() -> None:
    reading = now(T + 530, boot="one", monotonic_s=130)
    assert matchclock.corrected(part(), reading, "plausible", slept_ns=500 * S) is None


def test_the_first_clock_that_is_believed_most_dates_the_whole_match() -> None:
    doubtful = part(trust="doubtful", wall_off_s=0)
    second = part(number=2, trust="synchronised", wall_off_s=40)
    third = part(number=3, trust="synchronised", wall_off_s=90)
    assert matchclock.correction_ns([doubtful, second, third]) == 40 * S
    assert matchclock.correction_ns([doubtful]) == 0
    assert matchclock.correction_ns([]) == 0


# ------------------------------------------------------------------ parts


def test_a_match_of_version_0_1_0_has_one_part() -> None:
    (found,) = matchclock.parts_before(manifest(), over=True)
    assert (found.number, found.start_ns, found.ended_ns) == (1, T * S, (T + 60) * S)


def test_what_0_1_0_recorded_before_it_moved_the_clock_is_a_part_of_the_match() -> None:
    clock = MatchClock(start_unix_ns=(T + 3500) * S, start_monotonic_ns=1, boot_id="one")
    moved = manifest().model_copy(update={"clock": clock})
    assert moved.origin_ns == T * S
    first, second = matchclock.parts_before(moved, over=True)
    assert (first.start_ns, first.ended_ns) == (T * S, (T + 60) * S)
    assert (second.number, second.start_ns) == (2, (T + 3500) * S)
