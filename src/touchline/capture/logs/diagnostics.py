"""Correlation of video hardware errors with recording failures, from the logs.

Errors reported by a camera's driver are in the logs of the camera workers; stops that were not
answered in time and segments that a probe refused are in the server's own log. All times are
compared and reported in UTC.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from functools import partial
from pathlib import Path

import anyio
import anyio.to_thread

from touchline.capture.logs.answers import CorrelatedEvent, LogEvent, RecordingCorrelations
from touchline.capture.logs.logtail import newest_lines
from touchline.core.errors import Failed

NVVIC_PHRASES = (
    "failed to allocate buffer",
    "failed to open NvVIC",
    "failed to allocate neighbor buffer",
)
TIMEOUT_PHRASE = "EOS wait timed out"
PROBE_PHRASE = "Segment probe failed"
"""Phrase that the recorder logs literally, because it is searched for here."""

SERVER_LOG = "touchline.log"
ERROR_LOG = "error.log"

LOOKBACK_MINUTES = (1, 1440)
MAX_LINES = (200, 50_000)
WINDOW_SECONDS = (1, 3600)

_LONG_AGO = datetime.min.replace(tzinfo=UTC)
_RECENT = 20
_SHOWN_CHARS = 2000
_MOST_BYTES = 32 << 20
"""Maximum number of bytes read of each log.

50,000 lines of our own are a third of that.
"""

_TIMESTAMP = re.compile(
    r'^(?:\{"ts": ")?\[?'
    r"(\d{4}-\d\d-\d\d)[ T](\d\d:\d\d:\d\d)(?:[.,](\d{1,6})\d*)?"
    r" ?(Z|[+-]\d\d:?\d\d)?"
)


@dataclass(frozen=True)
class Entry:
    """Line of a log, and its time if it states one."""

    at: datetime | None
    line: str

    def to_json(self) -> LogEvent:
        """Return the contract's form: ISO in UTC without a zone."""
        return {"timestamp": None if self.at is None else _naive_iso(self.at), "line": self.line}


@dataclass(frozen=True)
class Question:
    """Parameters of a request, limited to their bounds."""

    lookback_minutes: int
    max_lines: int
    window_s: int

    @classmethod
    def from_request(cls, lookback_minutes: int, max_lines: int, window_s: int) -> Question:
        """Return the parameters limited to the nearest allowed values."""
        return cls(
            _clamp(lookback_minutes, LOOKBACK_MINUTES),
            _clamp(max_lines, MAX_LINES),
            _clamp(window_s, WINDOW_SECONDS),
        )


class Diagnostics:
    """Search of the logs in one directory. One request is answered at a time."""

    def __init__(self, log_dir: Path) -> None:
        self._log_dir = log_dir
        self._one_at_a_time = anyio.CapacityLimiter(1)

    async def correlations(
        self,
        *,
        lookback_minutes: int = 60,
        max_lines: int = 5000,
        correlation_window_seconds: int = 180,
    ) -> RecordingCorrelations:
        """Return the body of `GET /api/v1/diagnostics/recording-correlations`.

        Values out of bounds are replaced by the nearest valid ones. Raises Failed if a log cannot
        be read; a missing log has no lines.
        """
        question = Question.from_request(lookback_minutes, max_lines, correlation_window_seconds)
        now = datetime.now(UTC)
        try:
            return await anyio.to_thread.run_sync(
                partial(correlate, self._log_dir, question, now),
                abandon_on_cancel=True,
                limiter=self._one_at_a_time,
            )
        except OSError as error:
            raise Failed(
                f"The logs cannot be read: {error.strerror}", code="log_unreadable"
            ) from error


def correlate(log_dir: Path, question: Question, now: datetime) -> RecordingCorrelations:
    """Return the answer, read from the log files. Blocks; raises OSError."""
    cutoff = now - timedelta(minutes=question.lookback_minutes)
    server_log, error_log = log_dir / SERVER_LOG, log_dir / ERROR_LOG
    worker_logs = sorted(log_dir.glob("cam[0-9]*.log"))
    most = question.max_lines
    nvvic = _sort_by_time(
        entry
        for path in (error_log, *worker_logs)
        for entry in _entries(path, NVVIC_PHRASES, most, cutoff)
    )
    told = _sort_by_time(_entries(server_log, (TIMEOUT_PHRASE, PROBE_PHRASE), most, cutoff))
    timeouts = [entry for entry in told if TIMEOUT_PHRASE in entry.line]
    probes = [entry for entry in told if PROBE_PHRASE in entry.line]
    correlated = _correlate(nvvic, timeouts, probes, timedelta(seconds=question.window_s))
    return {
        "lookback_minutes": question.lookback_minutes,
        "max_lines_scanned": question.max_lines,
        "correlation_window_seconds": question.window_s,
        "time_range": {"from": _naive_iso(cutoff), "to": _naive_iso(now)},
        "sources": {
            "api_log": str(server_log),
            "error_log": str(error_log),
            "worker_logs": [str(path) for path in worker_logs],
        },
        "counts": {
            "nvvic_errors": len(nvvic),
            "recording_stop_timeouts": len(timeouts),
            "probe_failures": len(probes),
            "correlated_nvvic_events": len(correlated),
        },
        "recent": {
            "nvvic_errors": [entry.to_json() for entry in nvvic[-_RECENT:]],
            "recording_stop_timeouts": [entry.to_json() for entry in timeouts[-_RECENT:]],
            "probe_failures": [entry.to_json() for entry in probes[-_RECENT:]],
            "correlations": correlated[-_RECENT:],
        },
    }


def parse_line_time(line: str) -> datetime | None:
    """Return the time of a log line; without a zone it is this machine's local time.

    Supports our own JSON lines, and the usual `2026-02-11 22:02:41,123` with or without a zone.
    """
    found = _TIMESTAMP.match(line)
    if found is None:
        return None
    day, clock, fraction, zone = found.groups()
    try:
        at = datetime.strptime(f"{day} {clock}", "%Y-%m-%d %H:%M:%S")  # noqa: DTZ007  (below)
        at = at.replace(microsecond=int((fraction or "0").ljust(6, "0")))
        if zone is None:
            return at.astimezone(UTC)
        offset = timedelta()
        if zone != "Z":
            hours, minutes = int(zone[1:3]), int(zone[-2:])
            offset = timedelta(hours=hours, minutes=minutes) * (-1 if zone[0] == "-" else 1)
        return at.replace(tzinfo=timezone(offset)).astimezone(UTC)
    except (ValueError, OverflowError, OSError):  # an invalid date, or out of range
        return None


def _entries(path: Path, phrases: Sequence[str], most: int, cutoff: datetime) -> Iterable[Entry]:
    """Yield the lines with one of the phrases, newest first.

    Lines older than `cutoff` are left out.
    """
    for line in newest_lines(path, most=most, most_bytes=_MOST_BYTES):
        if not any(phrase in line for phrase in phrases):
            continue
        at = parse_line_time(line)
        if at is None or at >= cutoff:
            yield Entry(at, _shorten_line(line.strip(), phrases))


def _shorten_line(line: str, phrases: Sequence[str]) -> str:
    """Return the line; of a very long one, a part that contains the match."""
    if len(line) <= _SHOWN_CHARS:
        return line
    begin = min(at for phrase in phrases if (at := line.find(phrase)) >= 0)
    begin = 0 if begin < _SHOWN_CHARS // 2 else begin - _SHOWN_CHARS // 4
    return line[begin : begin + _SHOWN_CHARS]


def _sort_by_time(newest_first: Iterable[Entry]) -> list[Entry]:
    """Sort entries by time.

    Lines without a time come first, so that they do not hide recent ones.
    """
    entries = list(newest_first)
    entries.reverse()  # keeps the order of lines from the same millisecond
    entries.sort(key=lambda entry: entry.at or _LONG_AGO)
    return entries


def _correlate(
    nvvic: Sequence[Entry], timeouts: Sequence[Entry], probes: Sequence[Entry], window: timedelta
) -> list[CorrelatedEvent]:
    """Return the hardware errors with a failed stop or probe within the window around them."""
    timeout_times = [entry.at for entry in timeouts if entry.at is not None]
    probe_times = [entry.at for entry in probes if entry.at is not None]
    found: list[CorrelatedEvent] = []
    for entry in nvvic:
        if entry.at is None:
            continue
        near_timeouts = _count_within(timeout_times, entry.at, window)
        near_probes = _count_within(probe_times, entry.at, window)
        if near_timeouts or near_probes:
            found.append(
                {
                    **entry.to_json(),
                    "timeouts_within_window": near_timeouts,
                    "probe_failures_within_window": near_probes,
                }
            )
    return found


def _count_within(times: Sequence[datetime], at: datetime, window: timedelta) -> int:
    return bisect_right(times, at + window) - bisect_left(times, at - window)


def _naive_iso(at: datetime) -> str:
    return at.astimezone(UTC).replace(tzinfo=None).isoformat()


def _clamp(value: int, bounds: tuple[int, int]) -> int:
    return max(bounds[0], min(value, bounds[1]))
