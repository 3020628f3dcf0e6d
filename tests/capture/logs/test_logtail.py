"""The end of a log, whatever its size, its bytes and the files it was turned over to."""

import os
from pathlib import Path

import pytest

from touchline.capture.logs import logtail
from touchline.capture.logs.logtail import exists, newest_lines

MANY, MUCH = 10_000, 1 << 30


@pytest.fixture(autouse=True)
def small_blocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Lines cross blocks in every test."""
    monkeypatch.setattr(logtail, "BLOCK_BYTES", 7)


def tail(path: Path, most: int = MANY, most_bytes: int = MUCH) -> list[str]:
    return list(newest_lines(path, most=most, most_bytes=most_bytes))


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", []),
        (b"\n", [""]),
        (b"one", ["one"]),
        (b"one\n", ["one"]),
        (b"one\ntwo", ["two", "one"]),
        (b"one\n\ntwo\n\n", ["", "two", "", "one"]),
        (b"a line of many blocks\nx\n", ["x", "a line of many blocks"]),
        (b"0123456\n789\n", ["789", "0123456"]),
        (b"\xff\xfe bad\n", ["\\xff\\xfe bad"]),
        ("über\n".encode() * 3, ["über"] * 3),
    ],
)
def test_lines_come_from_the_last_to_the_first(
    tmp_path: Path, content: bytes, expected: list[str]
) -> None:
    path = tmp_path / "a.log"
    path.write_bytes(content)
    assert tail(path) == expected


def test_no_more_than_asked_for_are_read(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("".join(f"{n}\n" for n in range(100)))
    assert tail(path, 3) == ["99", "98", "97"]
    assert tail(path, 0) == []


def test_older_files_follow_in_the_order_of_their_numbers(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("new\n")
    for number in (1, 2, 10):
        (tmp_path / f"a.log.{number}").write_text(f"old {number}\n")
    for other in ("a.log.gz", "a.log.1.gz", "b.log.1", "a.log.x"):
        (tmp_path / other).write_text("not this\n")
    assert tail(path) == ["new", "old 1", "old 2", "old 10"]
    assert tail(path, 2) == ["new", "old 1"]


def test_a_log_that_was_just_turned_over_is_read_from_its_older_file(tmp_path: Path) -> None:
    (tmp_path / "a.log.1").write_text("old\n")
    assert exists(tmp_path / "a.log")
    assert tail(tmp_path / "a.log") == ["old"]


def test_a_log_turned_over_while_it_is_read_is_not_read_twice(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("1\n2\n")
    reading = newest_lines(path, most=MANY, most_bytes=MUCH)
    assert next(reading) == "2"
    path.rename(tmp_path / "a.log.1")
    path.write_text("3\n")
    assert list(reading) == ["1"]


def test_what_lies_too_far_back_is_left_out_whole(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    path.write_text("first\nsecond\nthird\n")
    (tmp_path / "a.log.1").write_text("older\n")
    assert tail(path, most_bytes=15) == ["third", "second"]
    assert tail(path, most_bytes=7) == ["third"]


def test_a_file_without_newlines_does_not_fill_the_memory(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logtail, "LONGEST_LINE_BYTES", 20)
    path = tmp_path / "a.log"
    path.write_bytes(b"x" * 5000 + b"\nshort\n")
    short, long = tail(path)
    assert short == "short"
    assert len(long) == 20


def test_missing_logs_and_folders_have_no_lines(tmp_path: Path) -> None:
    for path in (tmp_path / "none.log", tmp_path / "nowhere" / "none.log"):
        assert not exists(path)
        assert tail(path) == []


def test_a_pipe_in_the_log_s_place_is_passed_over(tmp_path: Path) -> None:
    path = tmp_path / "a.log"
    os.mkfifo(path)
    (tmp_path / "a.log.1").write_text("old\n")
    assert tail(path) == ["old"]
