"""Answers that are made here: metrics with their matches, and `touchline check`."""

from __future__ import annotations

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.capture import MatchInterval
from touchline.core.answers import ANSWER, example
from touchline.core.history.answers import MetricsWindow
from touchline.finding import State


@with_config(
    example(
        {
            "range": "hour",
            "step_s": 10,
            "from": 1770846400.0,
            "to": 1770850000.0,
            "times": [1770849980.0, 1770849990.0],
            "series": {
                "cpu_percent": [12.5, 13.0],
                "memory_percent": [38.5, 38.5],
                "disk_percent": [38.8, 38.8],
                "temperature_c": [None, None],
                "engines": [2.0, 2.0],
                "streams": [1.0, 1.0],
            },
            "matches": [
                {"match_id": "match_20260211_001", "start": 1770846500.0, "end": 1770849000.0}
            ],
        }
    )
)
class MetricsHistory(MetricsWindow):
    """Metrics over time: columns of equal length with the mean of each step."""

    matches: list[MatchInterval]
    """Matches recorded in the range."""


@with_config(ANSWER)
class Finding(TypedDict):
    """Result of one check."""

    what: str
    """Subject of the check."""
    state: State
    """Whether a required item is `missing`, something needs attention (`warn`), or all is well."""
    message: str
    """Human-readable result."""
    mend: str | None
    """Command or setting that fixes the problem."""


@with_config(ANSWER)
class Findings(TypedDict):
    """Readiness of this machine for its settings."""

    ok: bool
    """Whether no required item is missing."""
    findings: list[Finding]
    """Findings in the order in which they should be fixed."""
