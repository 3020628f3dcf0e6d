"""Plain lines in UTC, and older files in their order. What disks do to it: test_alertlog."""

from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest

from touchline.capture.logs.linelog import (
    MAX_WAITING,
    LineLog,
    format_line,
    open_line_log,
    turn_over,
)

AT = datetime(2026, 2, 11, 22, 2, 41, 123456, tzinfo=UTC)


def test_a_line_has_the_contract_s_plain_form_in_utc() -> None:
    local = AT.astimezone(timezone(timedelta(hours=5, minutes=30)))
    assert (
        format_line(local, "ALERT: cam0 is lost") == b"[2026-02-11 22:02:41] ALERT: cam0 is lost\n"
    )


@pytest.mark.parametrize("text", ["two\nlines", "two\r\n lines", "two\x0blines", "two\u2028lines"])
def test_whatever_the_text_holds_it_is_one_line(text: str) -> None:
    assert format_line(AT, text) == b"[2026-02-11 22:02:41] two lines\n"


def test_a_file_name_that_is_no_unicode_does_not_cost_the_line() -> None:
    assert format_line(AT, "cam\udcff") == b"[2026-02-11 22:02:41] cam\\xff\n"


@pytest.mark.anyio
async def test_lines_are_written_by_the_time_the_log_is_closed(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "watchdog.log"
    async with open_line_log(path) as lines:
        lines.write(b"one\n")
        lines.write(b"two\n")
    assert path.read_bytes() == b"one\ntwo\n"


def test_a_log_nobody_writes_to_makes_no_file(tmp_path: Path) -> None:
    lines = LineLog(tmp_path / "watchdog.log")
    lines.start()
    lines.close()
    assert list(tmp_path.iterdir()) == []


def test_more_lines_than_fit_let_the_oldest_go(tmp_path: Path) -> None:
    lines = LineLog(tmp_path / "watchdog.log")
    for number in range(MAX_WAITING + 2):
        lines.write(b"%d\n" % number)
    lines.start()
    lines.close(5.0)
    assert lines.lost == 2
    assert lines.path.read_bytes().split()[0] == b"2"


def test_a_file_that_is_turned_over_moves_the_older_ones_on_and_the_oldest_out(
    tmp_path: Path,
) -> None:
    path = tmp_path / "cam0.log"
    for text in ("a", "b", "c", "d"):
        path.write_text(text)
        turn_over(path, 0, kept=2)
    assert not path.exists()
    kept = {p.name: p.read_text() for p in tmp_path.iterdir()}
    assert kept == {"cam0.log.1": "d", "cam0.log.2": "c"}


def test_a_file_within_its_limit_an_empty_and_a_missing_one_stay(tmp_path: Path) -> None:
    full, empty = tmp_path / "full.log", tmp_path / "empty.log"
    full.write_text("four")
    empty.touch()
    for path, limit in ((full, 4), (empty, 0), (tmp_path / "missing.log", 0)):
        turn_over(path, limit)
    assert {p.name for p in tmp_path.iterdir()} == {"full.log", "empty.log"}


def test_the_newest_lines_are_remembered_with_a_running_number(tmp_path: Path) -> None:
    lines = LineLog(tmp_path / "watchdog.log")
    assert lines.newest() == ([], 0)
    for number in range(250):
        lines.write(f"line {number}\n".encode())
    newest, written = lines.newest()
    assert written == 250
    assert newest == [f"line {number}" for number in range(150, 250)]
