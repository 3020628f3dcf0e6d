from __future__ import annotations

import errno

import pytest

from touchline.studio.errors import StudioError, disk_trouble


@pytest.mark.parametrize(
    ("number", "code", "advises"),
    [
        (errno.ENOSPC, "disk_full", True),
        (errno.EDQUOT, "disk_full", True),
        (errno.EROFS, "disk_failed", False),
    ],
)
def test_a_disk_that_takes_nothing_is_said_with_what_to_do(
    number: int, code: str, *, advises: bool
) -> None:
    error = disk_trouble(OSError(number, "as the system says"))
    assert error.code == code
    assert bool(error.advice) is advises


def test_an_error_is_its_message_to_whoever_logs_it() -> None:
    error = StudioError("no_pair", "Both cameras are needed", advice="Connect them.")
    assert str(error) == error.message == "Both cameras are needed"
    assert (error.code, error.advice) == ("no_pair", "Connect them.")
