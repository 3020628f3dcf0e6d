from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from touchline.web.models.engines.streams import StreamEndedReport, StreamStartedReport

REPORT: dict[str, Any] = {
    "engine": {"host": "127.0.0.1", "port": "6878"},
    "stream": {"key_type": "infohash", "key": "a" * 40},
    "session": {
        "playback_session_id": "s",
        "stat_url": "http://127.0.0.1:6878/ace/stat/1",
        "command_url": "http://127.0.0.1:6878/ace/cmd/1",
        "is_live": "1",
    },
}


def test_what_the_earlier_clients_send_is_understood() -> None:
    report = StreamStartedReport.model_validate(REPORT)
    assert (report.engine.port, report.session.is_live, report.labels) == (6878, 1, {})
    assert str(report.session.stat_url).endswith("/ace/stat/1")


@pytest.mark.parametrize(
    ("part", "field", "value"),
    [
        ("engine", "host", ""),
        ("engine", "host", "a\nb"),
        ("engine", "host", "\ud800"),
        ("stream", "key", ""),
        ("stream", "key", "x" * 2049),
        ("stream", "key_type", "torrent"),
        ("session", "stat_url", "file:///etc/passwd"),
        ("session", "playback_session_id", "\x1b[31m"),
    ],
)
def test_what_could_not_be_shown_or_asked_is_refused(part: str, field: str, value: str) -> None:
    wrong = {**REPORT, part: {**REPORT[part], field: value}}
    with pytest.raises(ValidationError) as caught:
        StreamStartedReport.model_validate(wrong)
    assert caught.value.errors()[0]["loc"][:2] == (part, field)


def test_labels_are_few_and_short() -> None:
    for labels in ({str(n): "" for n in range(65)}, {"a": "x" * 4097}, {"x" * 257: ""}):
        with pytest.raises(ValidationError, match="labels"):
            StreamStartedReport.model_validate({**REPORT, "labels": labels})


def test_an_end_may_say_nothing_at_all() -> None:
    assert StreamEndedReport.model_validate({}).stream_id is None
