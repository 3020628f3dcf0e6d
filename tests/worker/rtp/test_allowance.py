from __future__ import annotations

from touchline.worker.rtp.allowance import HELD_UP, ORDINARY, Allowance

INTERVAL_NS = 40_000_000


def accepted(allowance: Allowance, at_ns: int, pictures: int) -> int:
    return sum(allowance.accept_picture(at_ns, INTERVAL_NS, needed=True) for _ in range(pictures))


def test_a_burst_is_allowed_and_a_flood_is_not() -> None:
    allowance = Allowance()
    assert accepted(allowance, 0, 500) == ORDINARY


def test_a_camera_at_its_rate_is_never_limited() -> None:
    allowance = Allowance()
    assert all(accepted(allowance, n * INTERVAL_NS, 1) for n in range(1000))


def test_what_the_network_held_back_may_come_at_once_up_to_a_limit() -> None:
    allowance = Allowance()
    accepted(allowance, 0, 1)
    minute = 1500
    assert accepted(allowance, minute * INTERVAL_NS, minute) == minute
    assert accepted(allowance, 10**15, 2 * HELD_UP) == HELD_UP


def test_a_picture_with_a_time_of_its_own_is_always_accepted_and_counts() -> None:
    allowance = Allowance()
    assert all(allowance.accept_picture(0, INTERVAL_NS, needed=False) for _ in range(2 * ORDINARY))
    assert accepted(allowance, 0, 1) == 0
