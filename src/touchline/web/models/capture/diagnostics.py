"""Models of machine metrics, logs and findings."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from touchline.capture import MatchInterval
from touchline.core.answers import example
from touchline.web.models.base import Answer


class PowerMode(Answer):
    """Power mode of a Jetson."""

    name: str = Field(
        description="Power mode: 15W, 25W, MAXN_SUPER, 7W or `Mode N`; `Unknown` on other machines."
    )
    id: str = Field(description="Number of the power mode; `N/A` on other machines.")
    is_max: bool = Field(description="Whether this is the fastest mode.")


class CpuFrequency(Answer):
    """Clock of one CPU core."""

    cpu: int = Field(description="Number of the core in the kernel.")
    freq_ghz: float = Field(description="Current clock in GHz.")
    type: Literal["performance", "efficiency"] = Field(
        description="Type of the core: performance or efficiency."
    )


class CpuAverage(Answer):
    """Mean clock per type of core; 0 if unknown."""

    performance: float = Field(description="GHz.")
    efficiency: float = Field(description="GHz.")


class Temperature(Answer):
    """Readable thermal zones."""

    max_c: float = Field(description="Highest temperature; 0 without any zone.")
    zones: list[float] = Field(description="Temperature of each zone in degrees Celsius.")
    warning: bool = Field(description="Whether the maximum exceeds 75 °C.")
    critical: bool = Field(description="Whether the maximum exceeds 85 °C.")


class CpuUsage(Answer):
    """CPU load."""

    overall: float = Field(description="CPU load over all cores in percent, over the last sample.")


class Memory(Answer):
    """Memory of the machine, in GiB."""

    total_gb: float = Field(description="Total memory.")
    used_gb: float = Field(description="Memory not available to programs.")
    percent: float = Field(description="Memory in use, in percent.")
    available_gb: float = Field(description="Memory available to programs.")


class Storage(Answer):
    """Recordings disk, in GiB; zeros while it cannot be read."""

    total_gb: float = Field(description="Size of the filesystem.")
    used_gb: float = Field(description="Used space: `total_gb` minus `free_gb`.")
    free_gb: float = Field(description="Space available for writing.")
    percent: float = Field(description="Space in use, in percent, as reported by df.")


class SystemMetrics(Answer):
    """Metrics of the machine. Missing hardware is reported as empty or zero."""

    model_config = example(
        {
            "power_mode": {"name": "MAXN_SUPER", "id": "2", "is_max": True},
            "cpu_frequencies": [{"cpu": 0, "freq_ghz": 1.728, "type": "performance"}],
            "cpu_avg": {"performance": 1.728, "efficiency": 0.0},
            "temperature": {
                "max_c": 51.3,
                "zones": [49.8, 51.3],
                "warning": False,
                "critical": False,
            },
            "cpu_usage": {"overall": 41.7},
            "memory": {"total_gb": 7.44, "used_gb": 3.1, "percent": 41.7, "available_gb": 4.34},
            "storage": {"total_gb": 228.0, "used_gb": 92.39, "free_gb": 135.61, "percent": 40.5},
        }
    )

    power_mode: PowerMode
    cpu_frequencies: list[CpuFrequency] = Field(
        description="Clocks of the cores; on a Jetson, of the first six."
    )
    cpu_avg: CpuAverage
    temperature: Temperature
    cpu_usage: CpuUsage
    memory: Memory
    storage: Storage


class LogTail(Answer):
    """Newest lines of a log."""

    model_config = example(
        {
            "log_type": "watchdog",
            "lines": ["[2026-02-11 22:02:41] INFO: cam0: worker 4711 was started"],
            "total_lines": 1,
        }
    )

    log_type: str = Field(description="Log type: health, alerts or watchdog.")
    lines: list[str] = Field(description="Lines, oldest first, without trailing white space.")
    total_lines: int | None = Field(
        default=None, description="Number of lines returned; missing without a file."
    )
    message: str | None = Field(
        default=None, description="Present only if the log file does not exist yet."
    )


Column = list[float | None]


class MetricsSeries(Answer):
    """One value per time; null if unknown."""

    cpu_percent: Column = Field(description="CPU load over all cores, in percent.")
    memory_percent: Column = Field(description="Memory in use, in percent.")
    disk_percent: Column = Field(description="Recordings disk in use, in percent.")
    temperature_c: Column = Field(
        description="Temperature of the hottest zone; null without any zone."
    )
    engines: Column = Field(description="Number of running engines.")
    streams: Column = Field(description="Number of playing streams.")


class MetricsHistory(Answer):
    """Metrics over time: columns of equal length with the mean of each step."""

    model_config = example(
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

    range: Literal["hour", "day", "week"] = Field(description="Range as requested.")
    step_s: int = Field(description="Step between two times, in seconds.")
    from_: float = Field(alias="from", description="Start of the range, in Unix seconds.")
    to: float = Field(description="Current time of the server, in Unix seconds.")
    times: list[float] = Field(
        description="Start of each step, in Unix seconds. A gap, for example while the server was"
        " not running, is one time with null values."
    )
    series: MetricsSeries
    matches: list[MatchInterval] = Field(description="Matches recorded in the range.")


class Finding(Answer):
    """Result of one check."""

    what: str
    state: Literal["ok", "info", "warn", "missing"]
    message: str
    mend: str | None = Field(description="Command or setting that fixes the problem.")


class Findings(Answer):
    """Readiness of this machine for its settings."""

    ok: bool = Field(description="Whether no required item is missing.")
    findings: list[Finding] = Field(
        description="Findings in the order in which they should be fixed."
    )


class TimeRange(Answer):
    """Time range that was searched, in UTC without zone."""

    model_config = ConfigDict(extra="allow")

    since: str = Field(alias="from", description="Start of the window; older lines are ignored.")
    to: str = Field(description="Time of the request.")


class Sources(Answer):
    """Logs that were read, including rotated files."""

    api_log: str = Field(description="Log searched for failed stops and probes.")
    error_log: str = Field(description="Log searched for hardware errors.")
    worker_logs: list[str] = Field(
        default=[], description="Logs of camera workers searched for hardware errors."
    )


class CorrelationCounts(Answer):
    """Number of lines of each kind."""

    nvvic_errors: int = Field(description="Errors of the video hardware.")
    recording_stop_timeouts: int = Field(
        description="Stops that a camera did not complete in time."
    )
    probe_failures: int = Field(description="Segments that failed a probe.")
    correlated_nvvic_events: int = Field(
        description="Hardware errors with a failed stop or probe within the window."
    )


class LogEvent(Answer):
    """One log line."""

    timestamp: str | None = Field(
        description="UTC time without zone; null if the line has no time."
    )
    line: str = Field(description="The line, or the matching part of a very long one.")


class CorrelatedEvent(LogEvent):
    """A hardware error and the failures around it."""

    timeouts_within_window: int = Field(description="Timed-out stops before or after the error.")
    probe_failures_within_window: int = Field(
        description="Failed segment probes before or after the error."
    )


class RecentEvents(Answer):
    """Newest twenty lines of each kind, oldest first."""

    nvvic_errors: list[LogEvent]
    recording_stop_timeouts: list[LogEvent]
    probe_failures: list[LogEvent]
    correlations: list[CorrelatedEvent]


_NVVIC = "2026-02-11T22:02:39Z cam0 WARNING camera lost: nvvconv0: failed to allocate buffer"

_STOP = (
    '{"ts": "2026-02-11T22:02:41.266Z", "level": "error", "logger": "touchline.capture.recording",'
    ' "message": "EOS wait timed out for cam0: the disk took no more data for 8 s"}'
)


class RecordingCorrelations(Answer):
    """Hardware errors correlated with failures of recordings."""

    model_config = example(
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

    lookback_minutes: int = Field(description="Value used, clamped to 1 to 1440.")
    max_lines_scanned: int = Field(description="Lines read per log, clamped to 200 to 50000.")
    correlation_window_seconds: int = Field(description="Value used, clamped to 1 to 3600.")
    time_range: TimeRange
    sources: Sources
    counts: CorrelationCounts
    recent: RecentEvents
