"""The clock on which a peer's silence is measured."""

from __future__ import annotations

import socket

import pytest

from touchline.ipc.listening import SLICE_S, ListeningClock, input_waits


@pytest.mark.parametrize(
    ("looks_s", "listened_s"),
    [
        pytest.param([0.1] * 10, 1.0, id="who looks often hears all the time"),
        pytest.param([0.1, 4.0, 0.1], 0.2 + SLICE_S, id="a stopped server counts one slice"),
        pytest.param([3600.0], SLICE_S, id="so does a machine that was suspended"),
        pytest.param([0.1, -5.0, 0.1], 0.2, id="a clock that steps back counts nothing"),
    ],
)
def test_only_time_in_which_we_could_listen_counts(looks_s: list[float], listened_s: float) -> None:
    now_s = 50.0
    clock = ListeningClock(lambda: now_s)
    began_s = clock()
    for step_s in looks_s:
        now_s += step_s
        clock()
    assert clock() - began_s == pytest.approx(listened_s)


def test_input_that_waits_is_seen_without_reading_it() -> None:
    ours, theirs = socket.socketpair()
    with ours, theirs:
        assert not input_waits(ours)
        theirs.send(b"x")
        assert input_waits(ours)
        assert ours.recv(1) == b"x"
        theirs.close()
        assert input_waits(ours), "the end is news, too"
    assert not input_waits(ours)
