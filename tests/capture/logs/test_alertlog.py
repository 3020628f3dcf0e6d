"""Alerts reach the file whole and in order, and never delay or fail the one who raises them."""

import json
import logging
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest

from touchline.capture.logs import linelog
from touchline.capture.logs.alertlog import Alerts, alert_line, open_alerts
from touchline.capture.logs.alerts import Alert, overload_guard_triggered
from touchline.capture.logs.linelog import KEPT_FILES, MAX_WAITING

AT = datetime(2026, 2, 11, 22, 2, 41, 123456, tzinfo=UTC)


class Events:
    """An event log that remembers what it was told."""

    def __init__(self) -> None:
        self.recorded: list[tuple[str, str, str, dict[str, Any]]] = []

    def record(self, type: str, category: str, message: str, **details: Any) -> None:  # noqa: A002
        self.recorded.append((type, category, message, details))


@contextmanager
def running(log_dir: Path, **options: Any) -> Iterator[Alerts]:
    """Alerts whose thread runs, closed at the end."""
    alerts = Alerts(log_dir, Events().record, now=lambda: AT, **options)
    alerts.start()
    try:
        yield alerts
    finally:
        alerts.close(5.0)


def numbered(number: int) -> Alert:
    """One alert of many."""
    return Alert("recording_frames_dropped", "warning", f"Alert {number}", {"number": number})


def send_fifty(alerts: Alerts, first: int) -> None:
    for number in range(first, first + 50):
        alerts.send(numbered(number))


def lines(path: Path) -> list[dict[str, Any]]:
    """The alerts in a file."""
    return [json.loads(line) for line in path.read_text().splitlines()]


def wait_for(condition: Callable[[], bool], timeout_s: float = 5.0) -> None:
    """Return as soon as the condition holds."""
    deadline_s = time.monotonic() + timeout_s
    while not condition():
        assert time.monotonic() < deadline_s, "the condition never held"
        time.sleep(0.002)


def test_a_line_has_the_keys_of_the_contract_in_order() -> None:
    alert = overload_guard_triggered(3, 3, ["cpu 97.8% >= 92.0% threshold"])
    assert alert_line(alert, AT) == (
        b'{"details": {"reasons": ["cpu 97.8% >= 92.0% threshold"], "threshold": 3, '
        b'"unhealthy_streak": 3}, "event_type": "recording_overload_guard_triggered", '
        b'"message": "Recording overload guard activated", "severity": "warning", '
        b'"ts": "2026-02-11T22:02:41.123456Z"}\n'
    )


def test_a_local_time_is_written_in_utc() -> None:
    local = AT.astimezone(timezone(timedelta(hours=2)))
    assert json.loads(alert_line(numbered(1), local))["ts"] == "2026-02-11T22:02:41.123456Z"


@pytest.mark.parametrize(
    ("odd", "kept"),
    [
        ({"at": AT}, {"at": str(AT)}),
        ({"rate": float("nan")}, {"rate": "nan"}),
        ({1: "a", "b": 2}, {"1": "a", "b": 2}),
        ({"said": "\x1b[2J\udcff"}, {"said": "\\x1b[2J\\xff"}),
    ],
)
def test_an_odd_detail_does_not_cost_the_alert(odd: dict[Any, Any], kept: dict[str, Any]) -> None:
    line = json.loads(alert_line(Alert("recording_frames_dropped", "error", "Odd\n", odd), AT))
    assert line["message"] == "Odd\\n"
    assert line["details"] == kept


@pytest.mark.anyio
async def test_an_alert_is_written_logged_and_recorded(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    events = Events()
    alert = Alert("recording_camera_lost", "error", "Lost", {"message": "own", "match_id": "m"})
    with caplog.at_level(logging.WARNING):
        async with open_alerts(tmp_path / "logs", events.record) as alerts:
            alerts.send(alert)
    [line] = lines(tmp_path / "logs" / "alerts.log")
    assert line["event_type"] == "recording_camera_lost"
    assert line["details"] == {"message": "own", "match_id": "m"}
    assert [(r.levelname, r.message) for r in caplog.records] == [
        ("ERROR", "ALERT recording_camera_lost: Lost")
    ]
    [(event_type, category, message, details)] = events.recorded
    assert (event_type, category, message) == ("recording_camera_lost", "alert", "Lost")
    assert details == {
        "severity": "error",
        "details": {"message": "own", "match_id": "m"},
        "match_id": "m",
    }


def test_alerts_are_written_while_the_server_runs(tmp_path: Path) -> None:
    with running(tmp_path) as alerts:
        alerts.send(numbered(1))
        wait_for(lambda: alerts.path.exists() and len(lines(alerts.path)) == 1)


def test_alerts_of_many_threads_arrive_whole_and_once(tmp_path: Path) -> None:
    with running(tmp_path) as alerts:
        senders = [
            threading.Thread(target=send_fifty, args=(alerts, k)) for k in range(0, 400, 100)
        ]
        for sender in senders:
            sender.start()
        for sender in senders:
            sender.join()
    numbers = [line["details"]["number"] for line in lines(alerts.path)]
    assert sorted(numbers) == [k + i for k in range(0, 400, 100) for i in range(50)]
    for k in range(0, 400, 100):
        own = [number for number in numbers if k <= number < k + 100]
        assert own == sorted(own)


def test_alerts_wait_while_the_disk_refuses_and_follow_in_order(tmp_path: Path) -> None:
    log_dir = tmp_path / "logs"
    log_dir.write_text("a file where the folder should be")
    with running(log_dir, retry_every_s=0.01) as alerts:
        for number in range(3):
            alerts.send(numbered(number))
        assert not alerts.path.exists()
        log_dir.unlink()
        wait_for(alerts.path.exists)
    assert [line["details"]["number"] for line in lines(alerts.path)] == [0, 1, 2]
    assert alerts.lost == 0


def test_a_refusing_disk_is_logged_once_an_outage(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    log_dir = tmp_path / "logs"
    log_dir.write_text("in the way")
    with running(log_dir, retry_every_s=0.002) as alerts:
        alerts.send(numbered(0))
        alerts.send(numbered(1))
        wait_for(lambda: "keeping lines in memory" in caplog.text)
        log_dir.unlink()
        wait_for(lambda: alerts.path.exists() and len(lines(alerts.path)) == 2)
    assert caplog.text.count("keeping lines in memory") == 1


def test_a_full_disk_leaves_no_half_line(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real_write, calls = os.write, []

    def filling_up(file: int, data: bytes) -> int:
        calls.append(len(data))
        if len(calls) == 2:
            return real_write(file, data[:10])
        if len(calls) == 3:
            raise OSError(28, "No space left on device")
        return real_write(file, data)

    monkeypatch.setattr(os, "write", filling_up)
    with running(tmp_path, retry_every_s=0.01) as alerts:
        alerts.send(numbered(0))
        wait_for(lambda: alerts.path.exists() and len(lines(alerts.path)) == 1)
        alerts.send(numbered(1))
        wait_for(lambda: len(calls) == 4)
    assert [line["details"]["number"] for line in lines(alerts.path)] == [0, 1]


def test_a_disk_that_hangs_delays_neither_the_sender_nor_the_stop(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hanging, let_go = threading.Event(), threading.Event()

    def hang(_path: Path, _data: bytes, *, synced: bool) -> None:
        assert synced, "an alert is worth a sync"
        hanging.set()
        let_go.wait(30)

    monkeypatch.setattr(linelog, "_append_whole", hang)
    alerts = Alerts(tmp_path, Events().record)
    alerts.start()
    try:
        alerts.send(numbered(0))
        assert hanging.wait(5)
        started_s = time.monotonic()
        for number in range(MAX_WAITING + 10):
            alerts.send(numbered(number))
        alerts.close(0.05)
        assert time.monotonic() - started_s < 5.0
        assert alerts.lost == 11, "the oldest are let go, one by one"
    finally:
        let_go.set()


def test_the_file_is_turned_over_by_size_and_only_some_are_kept(tmp_path: Path) -> None:
    one_line = len(alert_line(numbered(10), AT))
    with running(tmp_path, max_file_bytes=2 * one_line) as alerts:
        for number in range(10, 30):
            alerts.send(numbered(number))
            wait_for(lambda: not alerts._lines._waiting)  # one line a write
    older = sorted(path.name for path in tmp_path.iterdir())
    assert older == ["alerts.log", *[f"alerts.log.{n}" for n in range(1, KEPT_FILES + 1)]]
    newest_first = [alerts.path, *[tmp_path / f"alerts.log.{n}" for n in range(1, KEPT_FILES + 1)]]
    numbers = [line["details"]["number"] for path in newest_first[::-1] for line in lines(path)]
    assert numbers == list(range(18, 30))
    assert all(path.stat().st_size <= 2 * one_line for path in newest_first)
