from __future__ import annotations

from touchline.capture.library.playback.announcements import (
    FOLLOWED_FOR_S,
    MOST_MATCHES,
    Announcements,
    Terms,
)

BEGAN_NS = 1_770_836_561_000_000_000


class Clock:
    now_s = 1000.0

    def __call__(self) -> float:
        return self.now_s


def test_a_finished_match_that_nobody_followed_is_told_as_it_is_known_by_now() -> None:
    made = Announcements(Clock())
    assert made.terms("m", BEGAN_NS, 0, growing=False) == Terms("VOD", 0)
    assert made.terms("m", BEGAN_NS, 7, growing=False) == Terms("VOD", 7)


def test_what_was_said_of_a_running_match_stays_while_its_clock_is_set_and_when_it_ends() -> None:
    clock = Clock()
    made = Announcements(clock)
    said = Terms("EVENT", 3)
    assert made.terms("m", BEGAN_NS, 3, growing=True) == said
    clock.now_s += 3 * 3600
    assert made.terms("m", BEGAN_NS, 5, growing=True) == said
    clock.now_s += FOLLOWED_FOR_S
    assert made.terms("m", BEGAN_NS, 5, growing=False) == said
    clock.now_s += 1
    assert made.terms("m", BEGAN_NS, 5, growing=False) == Terms("VOD", 5)


def test_a_match_that_goes_on_goes_on_as_it_was() -> None:
    made = Announcements(Clock())
    for growing in (True, False, True):
        assert made.terms("m", BEGAN_NS, int(growing), growing=growing) == Terms("EVENT", 1)


def test_another_match_of_the_same_name_is_another_one() -> None:
    made = Announcements(Clock())
    made.terms("m", BEGAN_NS, 3, growing=True)
    assert made.terms("m", BEGAN_NS + 1, 5, growing=False) == Terms("VOD", 5)


def test_only_so_many_are_remembered_those_that_were_asked_for_last() -> None:
    made = Announcements(Clock())
    for number in range(MOST_MATCHES + 1):
        made.terms(f"m{number}", BEGAN_NS, 3, growing=True)
        made.terms("m0", BEGAN_NS, 3, growing=True)
    assert made.terms("m0", BEGAN_NS, 5, growing=False) == Terms("EVENT", 3)
    assert made.terms("m1", BEGAN_NS, 5, growing=False) == Terms("VOD", 5)
