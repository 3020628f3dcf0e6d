from __future__ import annotations

import io
import json
import logging
import threading
from pathlib import Path

import pytest

from touchline.core import logs
from touchline.core.logs import iso_utc, open_logs

log = logging.getLogger("touchline.capture.recording.recorder")

DEADLINE_S = 60.0


@pytest.fixture(autouse=True)
def _a_busy_machine_is_no_hanging_disk(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "CLOSE_TIMEOUT_S", DEADLINE_S)


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


class Stopped(io.StringIO):
    """A terminal that does not take anything until it is let go."""

    def __init__(self) -> None:
        super().__init__()
        self.go_on = threading.Event()
        self.waited_in_vain = False

    def write(self, text: str) -> int:
        self.waited_in_vain |= not self.go_on.wait(DEADLINE_S)
        return super().write(text)


def test_a_terminal_gets_text_and_a_pipe_gets_json() -> None:
    terminal, pipe = Terminal(), io.StringIO()
    for stream in (terminal, pipe):
        with open_logs(stream=stream):
            log.info("Started %s", "final", extra={"match_id": "final"})
    assert terminal.getvalue().endswith(
        "Z INFO    capture.recording.recorder: Started final match_id=final\n"
    )
    line = json.loads(pipe.getvalue())
    assert line.pop("ts").endswith("Z")
    assert line == {
        "level": "info",
        "logger": "touchline.capture.recording.recorder",
        "message": "Started final",
        "match_id": "final",
    }


def test_times_are_utc_with_their_zone() -> None:
    assert iso_utc(1770837041.2668) == "2026-02-11T19:10:41.266Z"


def test_files_hold_json_lines_and_errors_stand_apart_too(tmp_path: Path) -> None:
    with open_logs(directory=tmp_path / "logs", stream=io.StringIO()):
        log.warning("odd\nline")
        try:
            raise OSError("disk gone")
        except OSError:
            log.exception("Failed")
    everything = [
        json.loads(line) for line in (tmp_path / "logs" / "touchline.log").read_text().splitlines()
    ]
    errors = [
        json.loads(line) for line in (tmp_path / "logs" / "error.log").read_text().splitlines()
    ]
    assert [line["message"] for line in everything] == ["odd\nline", "Failed"]
    assert errors == everything[1:]
    assert "OSError: disk gone" in errors[0]["exception"]


def test_uvicorn_speaks_through_it_but_not_of_every_request() -> None:
    pipe = io.StringIO()
    with open_logs(stream=pipe):
        logging.getLogger("uvicorn.error").info("Uvicorn running")
        logging.getLogger("uvicorn.access").info("GET /status")
    assert [json.loads(line)["message"] for line in pipe.getvalue().splitlines()] == [
        "Uvicorn running"
    ]


def test_a_log_directory_that_cannot_be_made_is_said_and_survived(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    pipe = io.StringIO()
    with open_logs(directory=tmp_path / "file" / "logs", stream=pipe):
        log.info("on we go")
    messages = [json.loads(line)["message"] for line in pipe.getvalue().splitlines()]
    assert messages[0].startswith("No log files in ")
    assert messages[1:] == ["on we go"]


def test_a_stopped_terminal_never_holds_up_who_logs(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(logs, "QUEUE_RECORDS", 50)
    stream = Stopped()
    with open_logs(stream=stream, format="json"):
        for number in range(200):
            log.info("line %d", number)
        stream.go_on.set()  # it has taken nothing until here
    assert not stream.waited_in_vain
    messages = [json.loads(line)["message"] for line in stream.getvalue().splitlines()]
    assert messages[0] == "line 0"
    dropped = next(text for text in messages if "were dropped" in text)
    assert int(dropped.split()[0]) + sum(text.startswith("line") for text in messages) == 200


def test_the_handlers_of_before_are_back_afterwards() -> None:
    before = logging.getLogger().handlers[:]
    with open_logs(stream=io.StringIO()):
        pass
    assert logging.getLogger().handlers == before
