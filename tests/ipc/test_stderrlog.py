from __future__ import annotations

import logging
import os
import re
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import pytest

from touchline.ipc.stderrlog import WAITING_LINES, BackgroundHandler, OneLine, open_log

DEADLINE_S = 60.0


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
        root.handlers[0].flush()
    finally:
        root.handlers[:] = handlers
        root.setLevel(level)


def test_lines_say_when_who_and_what(capfd: pytest.CaptureFixture[str]) -> None:
    with logging_of("cam0") as root:
        root.warning("no\npicture")
        root.debug("not this")
    out, err = capfd.readouterr()
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
def test_times_are_utc(capfd: pytest.CaptureFixture[str]) -> None:
    record = logging.LogRecord("x", logging.INFO, "", 0, "began", None, None)
    record.created, record.msecs = 1_770_847_361.0, 0.0
    with logging_of("cam0") as root:
        root.handle(record)
    assert capfd.readouterr().err.startswith("2026-02-11T22:02:41.000Z ")


@contextmanager
def full_pipe() -> Iterator[tuple[int, int]]:
    """A pipe that accepts nothing until it is read, as a disk that stalls."""
    reader, writer = os.pipe()
    os.set_blocking(writer, False)
    with suppress(BlockingIOError):
        while True:
            os.write(writer, bytes(65536))
    os.set_blocking(writer, True)
    try:
        yield reader, writer
    finally:
        with suppress(OSError):
            os.close(reader)
        os.close(writer)


def read_lines(reader: int, until: str) -> list[str]:
    found = b""
    while until.encode() not in found:
        found += os.read(reader, 65536).replace(b"\0", b"")
    return found.decode().splitlines()


def logger_on(descriptor: int) -> tuple[logging.Logger, BackgroundHandler]:
    handler = BackgroundHandler(descriptor)
    handler.setFormatter(OneLine("%(levelname)s %(message)s"))
    logger = logging.Logger("worker")  # noqa: LOG001  (known to this test alone)
    logger.addHandler(handler)
    return logger, handler


def test_nobody_who_logs_waits_for_a_disk_that_stalls() -> None:
    with full_pipe() as (reader, writer):
        logger, _ = logger_on(writer)
        others = threading.Thread(target=logger.warning, args=("of another thread",), daemon=True)
        logger.warning("the first")
        logger.warning("the second")
        others.start()
        others.join(DEADLINE_S)
        assert not others.is_alive()
        assert read_lines(reader, "another thread") == [
            "WARNING the first",
            "WARNING the second",
            "WARNING of another thread",
        ]


def test_what_does_not_fit_is_counted_and_told_later() -> None:
    with full_pipe() as (reader, writer):
        logger, handler = logger_on(writer)
        for number in range(WAITING_LINES + 11):
            logger.info("%d", number)
        *kept, lost = read_lines(reader, "dropped")
        handler.flush()
        assert kept == [f"INFO {number}" for number in range(len(kept))]
        assert WAITING_LINES <= len(kept) <= WAITING_LINES + 1  # one may be in the writer's hands
        assert lost.startswith(f"WARNING {WAITING_LINES + 11 - len(kept)} log lines were dropped")


def test_a_descriptor_that_takes_nothing_any_more_costs_its_lines_only() -> None:
    with full_pipe() as (reader, writer):
        os.close(reader)
        logger, handler = logger_on(writer)
        logger.info("lost")
        handler.flush()
        logger.info("lost, too")
        handler.flush()


def test_a_program_that_ends_has_written_its_lines() -> None:
    program = (
        "import logging\n"
        "from touchline.ipc.stderrlog import open_log\n"
        "open_log('cam0')\n"
        "for number in range(500): logging.info('%d', number)\n"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True
    )
    assert [line.split()[-1] for line in done.stderr.splitlines()] == [str(n) for n in range(500)]
