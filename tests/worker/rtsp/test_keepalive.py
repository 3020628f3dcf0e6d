from __future__ import annotations

import pytest

from touchline.worker.rtsp.keepalive import KeepAlive, session_timeout_s


@pytest.mark.parametrize(
    ("field", "seconds"),
    [
        ("12345", 60),
        ("12345;timeout=30", 30),
        ("12345 ; Timeout = 5 ", 5),
        ("12345;timeout=0", 60),
        ("12345;timeout=-1", 60),
        ("12345;timeout=²", 60),
        (";;;timeout=99999999999999", 999_999_999),
        (None, 60),
    ],
)
def test_the_sessions_timeout_is_read(field: str | None, seconds: float) -> None:
    assert session_timeout_s(field) == seconds


@pytest.mark.parametrize("timeout_s", [1, 2, 10, 60, 65, 3600, 10**9])
def test_a_keep_alive_is_due_twice_before_the_timeout_and_at_least_every_25_s(
    timeout_s: float,
) -> None:
    keep = KeepAlive(timeout_s, frozenset(), 0.0)
    assert 0 < 2 * keep.due_s <= timeout_s
    assert keep.due_s <= 25


@pytest.mark.parametrize(
    ("methods", "known", "method"),
    [
        ({"OPTIONS", "GET_PARAMETER"}, None, "GET_PARAMETER"),
        ({"OPTIONS", "PLAY"}, None, "OPTIONS"),
        (set(), None, "GET_PARAMETER"),
        ({"GET_PARAMETER"}, "OPTIONS", "OPTIONS"),
    ],
)
def test_the_request_is_one_that_the_camera_knows(
    methods: set[str], known: str | None, method: str
) -> None:
    assert KeepAlive(60, frozenset(methods), 0.0, method=known).method == method


@pytest.mark.parametrize("status", [None, 405, 501, 454, 551])
def test_what_is_refused_or_not_answered_is_followed_by_options_at_once(status: int | None) -> None:
    keep = KeepAlive(60, frozenset(), 0.0)
    keep.sent(24.0)
    keep.answered(status, 25.0)
    assert (keep.method, keep.due_s) == ("OPTIONS", 25.0)
    keep.sent(25.0)
    keep.answered(status, 26.0)
    assert keep.due_s == 49.0
