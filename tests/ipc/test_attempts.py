from __future__ import annotations

import pytest

from touchline.ipc.attempts import (
    FORGET_AFTER_S,
    FREE,
    LONGEST_PAUSE_S,
    Attempts,
    network_of,
    pause_after,
)


class Clock:
    now_s = 100.0

    def __call__(self) -> float:
        return self.now_s


def test_pauses_grow_after_a_few_free_tries() -> None:
    pauses = [pause_after(count) for count in range(1, FREE + 9)]
    assert pauses[:FREE] == [0.0] * FREE
    assert pauses[FREE:] == [1, 2, 4, 8, 16, 32, LONGEST_PAUSE_S, LONGEST_PAUSE_S]
    assert pause_after(10**9) == LONGEST_PAUSE_S


def test_an_address_waits_and_others_do_not() -> None:
    clock = Clock()
    attempts = Attempts(now_s=clock)
    failures = [attempts.failed("192.0.2.1") for _ in range(FREE + 2)]
    assert [failure.begins_storm for failure in failures] == [False] * FREE + [True, False]
    assert attempts.pause_s("192.0.2.1") == 2.0
    assert attempts.pause_s("192.0.2.2") == 0.0
    clock.now_s += 1.5
    assert attempts.pause_s("192.0.2.1") == 0.5
    clock.now_s += 1.0
    assert attempts.pause_s("192.0.2.1") == 0.0


def test_an_address_begins_anew_after_a_while() -> None:
    clock = Clock()
    attempts = Attempts(now_s=clock)
    for _ in range(FREE + 3):
        attempts.failed("192.0.2.1")
    clock.now_s += FORGET_AFTER_S + 1
    assert attempts.failed("192.0.2.1").count == 1


def test_the_table_is_bounded() -> None:
    attempts = Attempts(most=10, now_s=Clock())
    for number in range(1000):
        attempts.failed(f"192.0.2.{number % 256}")
        attempts.failed(f"x{number}" * 1000)
    assert len(attempts) == 10


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("", ""),
        ("testclient", "testclient"),
    ],
)
def test_what_counts_as_one_address(address: str, network: str) -> None:
    assert network_of(address) == network
