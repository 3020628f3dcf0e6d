"""Hardware errors beside failed stops: found in our own logs, in one zone, through turned files."""

import json
import logging
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from touchline.capture.logs import diagnostics
from touchline.capture.logs.diagnostics import (
    NVVIC_PHRASES,
    Diagnostics,
    Question,
    correlate,
    parse_line_time,
)
from touchline.core.errors import Failed
from touchline.core.logs import JsonFormatter

NOW = datetime(2026, 2, 11, 22, 0, 0, tzinfo=UTC)
USUAL = Question(lookback_minutes=60, max_lines=5000, window_s=180)


@pytest.fixture
def indian_time(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """A machine whose local time is five and a half hours ahead of UTC."""
    monkeypatch.setenv("TZ", "Asia/Kolkata")
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def json_line(at: datetime, message: str) -> str:
    """What the server's log really writes."""
    record = logging.makeLogRecord({"msg": message, "levelname": "ERROR", "name": "touchline.x"})
    record.created = at.timestamp()
    return JsonFormatter().format(record)


def worker_line(at: datetime, message: str) -> str:
    """What a worker's log really writes."""
    return f"{at.astimezone(UTC):%Y-%m-%dT%H:%M:%S}.250Z cam0 WARNING {message}"


def ago(**how: float) -> datetime:
    return NOW - timedelta(**how)


def write(path: Path, *lines: str) -> None:
    path.write_text("".join(f"{line}\n" for line in lines))


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ('{"ts": "2026-02-11T22:02:41.266Z", "level"', "2026-02-11T22:02:41.266000+00:00"),
        ("2026-02-11T22:02:41Z cam0 x", "2026-02-11T22:02:41+00:00"),
        ("2026-02-11 22:02:41,123 cam0 x", "2026-02-11T16:32:41.123000+00:00"),
        ("2026-02-11 22:02:41 x", "2026-02-11T16:32:41+00:00"),
        ("[2026-02-11 22:02:41] ALERT: x", "2026-02-11T16:32:41+00:00"),
        ("2026-02-11 22:02:41.123456 x", "2026-02-11T16:32:41.123456+00:00"),
        ("2026-02-11 22:02:41.123456789 x", "2026-02-11T16:32:41.123456+00:00"),
        ("2026-02-11T22:02:41+01:00 x", "2026-02-11T21:02:41+00:00"),
        ("2026-02-11T22:02:41-0330 x", "2026-02-12T01:32:41+00:00"),
    ],
)
@pytest.mark.usefixtures("indian_time")
def test_a_time_is_read_in_its_own_zone_or_else_in_the_machine_s(line: str, expected: str) -> None:
    at = parse_line_time(line)
    assert at is not None
    assert at.isoformat() == expected


@pytest.mark.parametrize(
    "line",
    ["", "failed to open NvVIC", "at 2026-02-11 22:02:41 x", "2026-02-31 10:00:00 x", "2026-02-11"],
)
def test_a_line_without_a_time_at_its_start_has_none(line: str) -> None:
    assert parse_line_time(line) is None


@pytest.mark.usefixtures("indian_time")
def test_json_and_plain_lines_of_the_same_minute_are_correlated_in_any_zone(
    tmp_path: Path,
) -> None:
    write(tmp_path / "cam0.log", worker_line(ago(minutes=10), "camera lost: failed to open NvVIC"))
    local = ago(minutes=11).astimezone()
    write(tmp_path / "cam1.log", f"{local:%Y-%m-%d %H:%M:%S},500 cam1 failed to allocate buffer")
    write(
        tmp_path / "touchline.log",
        json_line(ago(minutes=9), "EOS wait timed out for cam0: the disk took no more data"),
        json_line(ago(minutes=8), "Segment probe failed for cam1: moov atom not found"),
    )
    answer = correlate(tmp_path, USUAL, NOW)
    assert answer["counts"] == {
        "nvvic_errors": 2,
        "recording_stop_timeouts": 1,
        "probe_failures": 1,
        "correlated_nvvic_events": 2,
    }
    earlier, later = answer["recent"]["correlations"]
    assert earlier["timestamp"] == "2026-02-11T21:49:00.500000"
    assert (earlier["timeouts_within_window"], earlier["probe_failures_within_window"]) == (1, 1)
    assert later["timestamp"] == "2026-02-11T21:50:00.250000"
    [timeout] = answer["recent"]["recording_stop_timeouts"]
    assert timeout["timestamp"] == "2026-02-11T21:51:00"


def test_the_answer_has_exactly_the_keys_of_the_contract_and_the_workers_logs(
    tmp_path: Path,
) -> None:
    write(tmp_path / "cam12.log")
    assert correlate(tmp_path, USUAL, NOW) == {
        "lookback_minutes": 60,
        "max_lines_scanned": 5000,
        "correlation_window_seconds": 180,
        "time_range": {"from": "2026-02-11T21:00:00", "to": "2026-02-11T22:00:00"},
        "sources": {
            "api_log": str(tmp_path / "touchline.log"),
            "error_log": str(tmp_path / "error.log"),
            "worker_logs": [str(tmp_path / "cam12.log")],
        },
        "counts": {
            "nvvic_errors": 0,
            "recording_stop_timeouts": 0,
            "probe_failures": 0,
            "correlated_nvvic_events": 0,
        },
        "recent": {
            "nvvic_errors": [],
            "recording_stop_timeouts": [],
            "probe_failures": [],
            "correlations": [],
        },
    }


@pytest.mark.parametrize("phrase", NVVIC_PHRASES)
def test_each_hardware_error_is_found_in_worker_and_error_logs(tmp_path: Path, phrase: str) -> None:
    write(tmp_path / "cam0.log", worker_line(ago(minutes=1), phrase), phrase.upper())
    write(tmp_path / "error.log", json_line(ago(minutes=2), f"cam1: {phrase}"))
    answer = correlate(tmp_path, USUAL, NOW)
    assert [e["timestamp"] for e in answer["recent"]["nvvic_errors"]] == [
        "2026-02-11T21:58:00",
        "2026-02-11T21:59:00.250000",
    ]


def test_old_lines_are_left_out_and_lines_without_a_time_kept(tmp_path: Path) -> None:
    write(
        tmp_path / "cam0.log",
        "0:00:01.0 NvVIC: failed to open NvVIC",
        worker_line(ago(minutes=61), "failed to open NvVIC"),
        worker_line(ago(minutes=59), "failed to open NvVIC"),
    )
    write(tmp_path / "touchline.log", json_line(ago(minutes=59), "EOS wait timed out"))
    answer = correlate(tmp_path, USUAL, NOW)
    assert [e["timestamp"] for e in answer["recent"]["nvvic_errors"]] == [
        None,
        "2026-02-11T21:01:00.250000",
    ]
    assert answer["counts"]["nvvic_errors"] == 2
    assert answer["counts"]["correlated_nvvic_events"] == 1, "what has no time correlates with none"


@pytest.mark.parametrize(("apart_s", "correlated"), [(180, 1), (181, 0), (-180, 1), (-181, 0)])
def test_the_window_counts_in_both_directions(
    tmp_path: Path, apart_s: int, correlated: int
) -> None:
    at = ago(minutes=10).replace(microsecond=250_000)
    write(tmp_path / "cam0.log", worker_line(at, "failed to open NvVIC"))
    write(
        tmp_path / "touchline.log", json_line(at + timedelta(seconds=apart_s), "EOS wait timed out")
    )
    counts = correlate(tmp_path, USUAL, NOW)["counts"]
    assert counts["recording_stop_timeouts"] == 1
    assert counts["correlated_nvvic_events"] == correlated


def test_files_that_were_turned_over_are_read_on_to_the_last_line_asked_for(
    tmp_path: Path,
) -> None:
    error = "failed to allocate neighbor buffer"
    write(tmp_path / "cam0.log", *["noise"] * 100)
    write(tmp_path / "cam0.log.1", worker_line(ago(minutes=3), error), *["noise"] * 99)
    write(tmp_path / "cam0.log.2", worker_line(ago(minutes=4), error))
    question = Question(lookback_minutes=60, max_lines=200, window_s=180)
    assert correlate(tmp_path, question, NOW)["counts"]["nvvic_errors"] == 1


def test_only_the_newest_twenty_are_shown_and_all_are_counted(tmp_path: Path) -> None:
    lines = [worker_line(ago(seconds=100 - n), f"failed to open NvVIC {n}") for n in range(30)]
    write(tmp_path / "cam0.log", *lines)
    answer = correlate(tmp_path, USUAL, NOW)
    shown = [entry["line"] for entry in answer["recent"]["nvvic_errors"]]
    assert shown == lines[10:]
    assert answer["counts"]["nvvic_errors"] == 30


def test_of_a_very_long_line_the_part_that_counts_is_shown(tmp_path: Path) -> None:
    write(tmp_path / "cam0.log", f"{'x' * 9000} failed to open NvVIC {'y' * 9000}")
    [entry] = correlate(tmp_path, USUAL, NOW)["recent"]["nvvic_errors"]
    assert "failed to open NvVIC" in entry["line"]
    assert len(entry["line"]) == 2000


@pytest.mark.parametrize(
    ("asked", "taken"),
    [
        ((0, 0, 0), (1, 200, 1)),
        ((-1, -1, -1), (1, 200, 1)),
        ((10**30, 10**30, 10**30), (1440, 50_000, 3600)),
        ((60, 5000, 180), (60, 5000, 180)),
    ],
)
def test_values_out_of_bounds_are_the_nearest_within(
    asked: tuple[int, int, int], taken: tuple[int, int, int]
) -> None:
    question = Question.from_request(*asked)
    assert (question.lookback_minutes, question.max_lines, question.window_s) == taken


@pytest.mark.anyio
async def test_a_question_is_answered_for_the_present_and_is_plain_json(tmp_path: Path) -> None:
    now = datetime.now(UTC)
    write(tmp_path / "cam0.log", worker_line(now, "failed to open NvVIC"))
    answer = await Diagnostics(tmp_path).correlations(lookback_minutes=1)
    assert answer["counts"]["nvvic_errors"] == 1
    json.dumps(answer, allow_nan=False)


@pytest.mark.anyio
async def test_logs_that_cannot_be_read_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(*_: Any) -> dict[str, Any]:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(diagnostics, "correlate", refuse)
    with pytest.raises(Failed, match="The logs cannot be read: Permission denied"):
        await Diagnostics(tmp_path).correlations()
