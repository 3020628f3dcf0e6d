from __future__ import annotations

import pytest

from touchline.worker.network.refusals import Refusals, pause_after_refusals_s
from touchline.worker.rtsp.errors import CameraRefusal


@pytest.mark.parametrize(
    ("refusal", "refusals", "signed_in", "expected"),
    [
        (CameraRefusal.CREDENTIALS, 1, False, 30),
        (CameraRefusal.CREDENTIALS, 2, False, 60),
        (CameraRefusal.CREDENTIALS, 9, False, 600),
        (CameraRefusal.CREDENTIALS, 100_000, False, 600),
        (CameraRefusal.CREDENTIALS, 1, True, 5),
        (CameraRefusal.CREDENTIALS, 9, True, 600),
        (CameraRefusal.BUSY, 1, False, 1),
        (CameraRefusal.BUSY, 9, True, 60),
    ],
)
def test_a_camera_that_refuses_is_asked_ever_more_rarely(
    refusal: CameraRefusal, refusals: int, expected: float, *, signed_in: bool
) -> None:
    assert pause_after_refusals_s(refusal, refusals, signed_in=signed_in) == expected


def test_an_attempt_at_once_is_one_attempt() -> None:
    now = [0.0]
    refusals = Refusals(monotonic=lambda: now[0])
    assert "next attempt is in 30 s" in refusals.note(
        "no", CameraRefusal.CREDENTIALS, signed_in=False
    )
    assert refusals.left_s == 30
    refusals.ask_at_once()
    assert refusals.left_s == 0
    refusals.note("no", CameraRefusal.CREDENTIALS, signed_in=False)
    now[0] = 10.0
    assert refusals.left_s == 50


def test_who_is_let_in_begins_anew() -> None:
    refusals = Refusals(monotonic=lambda: 0.0)
    for _ in range(5):
        refusals.note("no", CameraRefusal.BUSY, signed_in=True)
    refusals.forget()
    assert refusals.left_s == 0
    refusals.note("no", CameraRefusal.BUSY, signed_in=True)
    assert (refusals.left_s, refusals.count) == (1, 6)


def test_an_attempt_that_was_asked_for_while_all_was_well_is_not_kept_for_a_refusal() -> None:
    refusals = Refusals(monotonic=lambda: 0.0)
    refusals.ask_at_once()
    refusals.forget()
    refusals.note("no", CameraRefusal.CREDENTIALS, signed_in=True)
    assert refusals.left_s == 5
