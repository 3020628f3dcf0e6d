"""How long the disk lasts is said when it is known, and not before."""

from __future__ import annotations

from touchline.capture.recording.health.forecast import KNOWN_AFTER_S, WINDOW_S, Rates


def noted(rates: Rates, camera: int, bps: float, *, from_s: float, to_s: float) -> None:
    at_s = from_s
    while at_s <= to_s:
        rates.note(camera, bps, at_s)
        at_s += 0.5


def test_nothing_is_known_at_a_start() -> None:
    rates = Rates()
    rates.note(0, 20_000_000, 0.0)  # a keyframe and nothing else yet
    rates.note(1, 50_000, 0.5)
    assert rates.total_bps([0, 1]) is None


def test_it_is_known_when_every_camera_was_measured_for_a_while() -> None:
    rates = Rates()
    noted(rates, 0, 8e6, from_s=0, to_s=KNOWN_AFTER_S + 1)
    assert rates.total_bps([0, 1]) is None
    noted(rates, 1, 2e6, from_s=0, to_s=KNOWN_AFTER_S + 1)
    assert rates.total_bps([0, 1]) == 10e6


def test_a_camera_that_is_lost_keeps_its_rate_and_is_measured_anew_when_it_is_back() -> None:
    rates = Rates()
    noted(rates, 0, 8e6, from_s=0, to_s=10)
    noted(rates, 0, 0, from_s=10, to_s=60)
    assert rates.total_bps([0]) == 8e6
    noted(rates, 0, 90e6, from_s=60, to_s=62)  # its first keyframes
    assert rates.total_bps([0]) == 8e6


def test_one_busy_second_does_not_halve_the_forecast() -> None:
    rates = Rates()
    noted(rates, 0, 8e6, from_s=0, to_s=10)
    rates.note(0, 30e6, 10.5)
    assert 8e6 < (rates.total_bps([0]) or 0) < 9e6


def test_a_scene_that_alternates_does_not_move_the_time_left() -> None:
    """With 20 s of smoothing this told 40 h and 3 days by turns."""
    rates = Rates()
    noted(rates, 0, 6e6, from_s=0, to_s=WINDOW_S)
    told = []
    for turn in range(20):
        from_s = WINDOW_S + 30 * turn
        noted(rates, 0, 4e6 if turn % 2 else 8e6, from_s=from_s + 0.5, to_s=from_s + 30)
        told.append(rates.total_bps([0]) or 0)
    assert max(told) / min(told) < 1.1


def test_until_the_window_is_full_the_rate_is_the_mean_of_all() -> None:
    rates = Rates()
    noted(rates, 0, 4e6, from_s=0, to_s=KNOWN_AFTER_S + 20)
    noted(rates, 0, 8e6, from_s=KNOWN_AFTER_S + 20.5, to_s=KNOWN_AFTER_S + 40)
    assert 5.9e6 < (rates.total_bps([0]) or 0) < 6.1e6


def test_without_cameras_nothing_is_known() -> None:
    assert Rates().total_bps([]) is None
