from __future__ import annotations

import logging

import pytest

from touchline.core.storm import Storm


def test_a_storm_is_logged_once_and_then_counted(caplog: pytest.LogCaptureFixture) -> None:
    now_s = 0.0
    storm = Storm(logging.getLogger("x"), "It fails", every_s=10, now_s=lambda: now_s)
    for _ in range(100_000):
        storm.note("too many")
    now_s = 10.0
    storm.note("too many")
    assert [record.getMessage() for record in caplog.records] == [
        "It fails: too many",
        "It fails: too many (100000 times since it was last said)",
    ]
    assert storm.count == 100_001
