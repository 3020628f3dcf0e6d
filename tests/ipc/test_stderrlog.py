from __future__ import annotations

import logging
import re
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from touchline.ipc.stderrlog import OneLine, open_log


def written(message: str, *, error: bool = False) -> str:
    info = None
    if error:
        try:
            raise ValueError("an odd \x1b[31mvalue\nin two lines")
        except ValueError:
            info = sys.exc_info()
    record = logging.LogRecord("worker", logging.INFO, "", 0, message, None, info)
    return OneLine("%(levelname)s %(message)s").format(record)


@pytest.mark.parametrize(
    ("message", "line"),
    [
        ("plain", "INFO plain"),
        ("two\nlines", r"INFO two\nlines"),
        ("\x1b[2Jcleared", r"INFO \x1b[2Jcleared"),
        ("für Müller", "INFO für Müller"),
    ],
)
def test_a_message_is_one_printable_line(message: str, line: str) -> None:
    assert written(message) == line


def test_a_traceback_keeps_its_lines_and_nothing_else() -> None:
    lines = written("it failed", error=True).splitlines()
    assert lines[0] == "INFO it failed"
    assert lines[1].startswith("Traceback")
    assert "\x1b" not in "".join(lines)
    assert any(line.startswith("ValueError: an odd") for line in lines)


@contextmanager
def logging_of(name: str) -> Iterator[logging.Logger]:
    """The root logger of a program that has just opened its log."""
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    root.handlers.clear()
    try:
        open_log(name)
        yield root
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def test_lines_say_when_who_and_what(capsys: pytest.CaptureFixture[str]) -> None:
    with logging_of("cam0") as root:
        root.warning("no\npicture")
        root.debug("not this")
    out, err = capsys.readouterr()
    assert out == ""
    line = r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z cam0 WARNING no\\npicture\n"
    assert re.fullmatch(line, err)


@pytest.fixture
def far_from_greenwich(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    with monkeypatch.context() as context:
        context.setenv("TZ", "Pacific/Auckland")
        time.tzset()
        yield
    time.tzset()


@pytest.mark.usefixtures("far_from_greenwich")
def test_times_are_utc(capsys: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "began", None, None)
    record.created, record.msecs = 1_770_847_361.0, 0.0
    with logging_of("cam0") as root:
        root.handle(record)
    assert capsys.readouterr().err.startswith("2026-02-11T22:02:41.000Z ")
