"""The circuit breaker, by a clock of its own."""

from __future__ import annotations

from datetime import UTC, datetime

from touchline.engines.provisioning.breaker import Breaker

NOON = datetime(2026, 11, 21, 12, 0, tzinfo=UTC)


def breaker() -> Breaker:
    return Breaker(threshold=3, recovery_timeout_s=60.0)


def opened(at_s: float = 0.0) -> Breaker:
    made = breaker()
    assert [made.failed(NOON, at_s) for _ in range(3)] == [False, False, True]
    return made


def test_it_opens_after_failures_in_a_row_only() -> None:
    made = breaker()
    made.failed(NOON, 0.0)
    made.failed(NOON, 0.0)
    made.worked(NOON)
    made.failed(NOON, 0.0)
    assert made.state(0.0) == "closed"
    assert made.failures == 1


def test_half_open_lets_one_through_whose_outcome_decides() -> None:
    made = opened()
    assert (made.state(59.0), made.allows(59.0), made.remaining_s(59.0)) == ("open", False, 1.0)
    assert (made.state(60.0), made.allows(60.0)) == ("half_open", True)
    made.trying(60.0)
    assert not made.allows(60.0)
    assert made.failed(NOON, 61.0)
    assert made.state(61.0) == "open"
    assert made.state(121.0) == "half_open"
    assert made.worked(NOON)
    assert made.state(121.0) == "closed"
    assert not made.worked(NOON)


def test_a_trial_that_ends_without_an_outcome_lets_another_be_tried() -> None:
    made = opened()
    first = made.trying(60.0)
    assert not made.allows(60.0)
    made.end_trial(first)
    assert made.allows(60.0)
    second = made.trying(60.0)
    made.end_trial(first)  # told late: the second one is under way
    assert not made.allows(60.0)
    made.end_trial(second)
    assert made.allows(60.0)


def test_what_is_tried_while_it_is_closed_is_no_trial() -> None:
    made = breaker()
    assert made.trying(0.0) is None
    made.end_trial(None)
    assert made.allows(0.0)


def test_what_is_shown() -> None:
    shown = opened().to_json(1.0)
    assert shown == {
        "state": "open",
        "failure_count": 3,
        "failure_threshold": 3,
        "last_failure_time": "2026-11-21T12:00:00.000000Z",
        "last_success_time": None,
        "recovery_timeout": 60.0,
    }


def test_the_next_server_waits_on_for_what_was_left() -> None:
    record = opened().record(20.0)
    after = breaker()
    after.restore(record, 1000.0)
    assert (after.state(1039.0), after.state(1040.0)) == ("open", "half_open")
    assert after.failures == 3
    closed = breaker()
    closed.restore(breaker().record(0.0), 5.0)
    assert closed.state(5.0) == "closed"


def test_a_reset_closes_it_and_keeps_the_times() -> None:
    made = opened()
    made.reset()
    assert made.allows(0.0)
    assert made.to_json(0.0)["last_failure_time"] is not None
