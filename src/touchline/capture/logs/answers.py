"""Answers about the logs: their newest lines, and errors found in them."""

from __future__ import annotations

from typing import Annotated, NotRequired

from pydantic import Field, with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER, Undocumented, example


@with_config(
    example(
        {
            "log_type": "watchdog",
            "lines": ["[2026-02-11 22:02:41] INFO: cam0: worker 4711 was started"],
            "total_lines": 1,
        }
    )
)
class LogTail(TypedDict):
    """Newest lines of a log."""

    log_type: str
    """Log type: health, alerts or watchdog."""
    lines: list[str]
    """Lines, oldest first, without trailing white space."""
    total_lines: NotRequired[int | None]
    """Number of lines returned; missing without a file."""
    message: NotRequired[str | None]
    """Present only if the log file does not exist yet."""
    # Only over a channel: a running number, by which a reader knows the new lines.
    written: NotRequired[Undocumented[int]]


@with_config(
    example({"name": "cam0.log", "size_bytes": 48213, "modified": 1770847361.27, "rotated": 1})
)
class LogFileEntry(TypedDict):
    """Log file of the server or of one of its programs."""

    name: str
    """Name of the file, such as `touchline.log`."""
    size_bytes: int
    """Size, without its rotated files."""
    modified: float
    """Time of the last line, in Unix seconds."""
    rotated: int
    """Number of older files that continue it."""


@with_config(ANSWER)
class LogFileList(TypedDict):
    """Log files that exist."""

    files: list[LogFileEntry]
    """Files by name."""


@with_config(
    example(
        {
            "name": "cam0.log",
            "lines": ["2026-02-11T22:02:39.104Z cam0 WARNING camera lost: no data for 3 s"],
            "total_lines": 1,
        }
    )
)
class LogFileTail(TypedDict):
    """Newest lines of a log file."""

    name: str
    """Name of the file."""
    lines: list[str]
    """Lines, oldest first, without white space at their ends."""
    total_lines: int
    """Number of lines returned."""


_From = TypedDict(
    "_From",
    {"from": Annotated[str, Field(description="Start of the window; older lines are ignored.")]},
)


@with_config(ANSWER)
class TimeRange(_From):
    """Time range that was searched, in UTC without zone."""

    to: str
    """Time of the request."""


@with_config(ANSWER)
class Sources(TypedDict):
    """Logs that were read, including rotated files."""

    api_log: str
    """Log searched for failed stops and probes."""
    error_log: str
    """Log searched for hardware errors."""
    worker_logs: NotRequired[Annotated[list[str], Field(json_schema_extra={"default": []})]]
    """Logs of camera workers searched for hardware errors."""


@with_config(ANSWER)
class CorrelationCounts(TypedDict):
    """Number of lines of each kind."""

    nvvic_errors: int
    """Errors of the video hardware."""
    recording_stop_timeouts: int
    """Stops that a camera did not complete in time."""
    probe_failures: int
    """Segments that failed a probe."""
    correlated_nvvic_events: int
    """Hardware errors with a failed stop or probe within the window."""


class LogLine(TypedDict):
    """Line of a log and its time."""

    timestamp: Annotated[
        str | None, Field(description="UTC time without zone; null if the line has no time.")
    ]
    line: Annotated[str, Field(description="The line, or the matching part of a very long one.")]


@with_config(ANSWER)
class LogEvent(LogLine):
    """One log line."""


@with_config(ANSWER)
class CorrelatedEvent(LogLine):
    """A hardware error and the failures around it."""

    timeouts_within_window: int
    """Timed-out stops before or after the error."""
    probe_failures_within_window: int
    """Failed segment probes before or after the error."""


@with_config(ANSWER)
class RecentEvents(TypedDict):
    """Newest twenty lines of each kind, oldest first."""

    nvvic_errors: list[LogEvent]
    """Errors of the video hardware."""
    recording_stop_timeouts: list[LogEvent]
    """Stops that a camera did not complete in time."""
    probe_failures: list[LogEvent]
    """Segments that failed a probe."""
    correlations: list[CorrelatedEvent]
    """Hardware errors with a failed stop or probe within the window."""


_NVVIC = "2026-02-11T22:02:39Z cam0 WARNING camera lost: nvvconv0: failed to allocate buffer"

_STOP = (
    '{"ts": "2026-02-11T22:02:41.266Z", "level": "error", "logger": "touchline.capture.recording",'
    ' "message": "EOS wait timed out for cam0: the disk took no more data for 8 s"}'
)


@with_config(
    example(
        {
            "lookback_minutes": 60,
            "max_lines_scanned": 5000,
            "correlation_window_seconds": 180,
            "time_range": {"from": "2026-02-11T21:10:00", "to": "2026-02-11T22:10:00"},
            "sources": {
                "api_log": "/var/lib/touchline/logs/touchline.log",
                "error_log": "/var/lib/touchline/logs/error.log",
                "worker_logs": ["/var/lib/touchline/logs/cam0.log"],
            },
            "counts": {
                "nvvic_errors": 1,
                "recording_stop_timeouts": 1,
                "probe_failures": 0,
                "correlated_nvvic_events": 1,
            },
            "recent": {
                "nvvic_errors": [{"timestamp": "2026-02-11T22:02:39", "line": _NVVIC}],
                "recording_stop_timeouts": [
                    {"timestamp": "2026-02-11T22:02:41.266000", "line": _STOP}
                ],
                "probe_failures": [],
                "correlations": [
                    {
                        "timestamp": "2026-02-11T22:02:39",
                        "line": _NVVIC,
                        "timeouts_within_window": 1,
                        "probe_failures_within_window": 0,
                    }
                ],
            },
        }
    )
)
class RecordingCorrelations(TypedDict):
    """Hardware errors correlated with failures of recordings."""

    lookback_minutes: int
    """Value used, clamped to 1 to 1440."""
    max_lines_scanned: int
    """Lines read per log, clamped to 200 to 50000."""
    correlation_window_seconds: int
    """Value used, clamped to 1 to 3600."""
    time_range: TimeRange
    """Time range that was searched."""
    sources: Sources
    """Logs that were read."""
    counts: CorrelationCounts
    """Number of lines of each kind."""
    recent: RecentEvents
    """Newest lines of each kind."""
