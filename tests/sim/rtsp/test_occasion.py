from __future__ import annotations

import time

from touchline.sim.rtsp.misbehaviour import Misbehaviour
from touchline.sim.rtsp.occasion import Occasion, due, held_s

S = 1_000_000_000


def test_time_counts_from_the_first_frame_or_from_the_signal_if_it_comes_later() -> None:
    assert Occasion(on_signal=False).elapsed_s(3 * S, 5 * S) == 2.0
    assert Occasion(on_signal=False).elapsed_s(None, 5 * S) == -1.0
    waiting = Occasion(on_signal=True)
    assert waiting.elapsed_s(3 * S, 5 * S) == -1.0
    before_ns = time.monotonic_ns()
    waiting.begin()
    assert waiting.elapsed_s(0, before_ns) <= 0.0


def test_nothing_is_due_without_a_time() -> None:
    assert [due(None, 9.0), due(2.0, 1.9), due(2.0, 2.0)] == [False, False, True]


def test_output_is_held_back_for_a_while_and_again() -> None:
    assert held_s(Misbehaviour(), 100.0) == 0.0
    once = Misbehaviour(hold_after=2.0, hold_for=3.0)
    assert [held_s(once, at) for at in (1.0, 2.0, 4.0, 5.0, 9.0)] == [0.0, 3.0, 1.0, 0.0, 0.0]
    again = Misbehaviour(hold_after=2.0, hold_for=3.0, hold_every=1.0)
    assert [held_s(again, at) for at in (4.0, 5.5, 6.0, 8.0)] == [1.0, 0.0, 3.0, 1.0]
