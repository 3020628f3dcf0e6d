"""The machine, the logs and what can be read out of them."""

from __future__ import annotations

from typing import Literal

from pydantic import ConfigDict, Field

from touchline.web.models.base import Answer, example


class PowerMode(Answer):
    """The mode in which a Jetson was set to run."""

    name: str = Field(description="15W, 25W, MAXN_SUPER, 7W, `Mode N`; `Unknown` elsewhere.")
    id: str = Field(description="Its number; `N/A` elsewhere.")
    is_max: bool = Field(description="It is the fastest one.")


class CpuFrequency(Answer):
    """The clock of one processor core."""

    cpu: int = Field(description="The kernel's number of the core.")
    freq_ghz: float = Field(description="Its clock now, in GHz.")
    type: Literal["performance", "efficiency"] = Field(description="A large core or a small one.")


class CpuAverage(Answer):
    """The mean clock of each kind of core; 0 where there is none, or none that tells."""

    performance: float = Field(description="GHz.")
    efficiency: float = Field(description="GHz.")


class Temperature(Answer):
    """The thermal zones that can be read."""

    max_c: float = Field(description="The hottest one; 0 where there is none.")
    zones: list[float] = Field(description="Each one in degrees Celsius.")
    warning: bool = Field(description="Over 75 degrees.")
    critical: bool = Field(description="Over 85 degrees.")


class CpuUsage(Answer):
    """The load of the processor."""

    overall: float = Field(description="Percent of all cores, over the last sample.")


class Memory(Answer):
    """The memory of the machine, in GiB."""

    total_gb: float = Field(description="All there is.")
    used_gb: float = Field(description="What programs cannot get any more.")
    percent: float = Field(description="Of the memory, in use.")
    available_gb: float = Field(description="What programs may still take.")


class Storage(Answer):
    """The disk of the recordings, in GiB; zeros while it cannot be read."""

    total_gb: float = Field(description="The size of the filesystem.")
    used_gb: float = Field(description="`total_gb` without `free_gb`.")
    free_gb: float = Field(description="What may still be written.")
    percent: float = Field(description="In use of what may be written at all, as df says it.")


class SystemMetrics(Answer):
    """The machine in figures, from memory. What it does not have is empty or zero."""

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
    cpu_frequencies: list[CpuFrequency] = Field(description="Of a Jetson the first six cores.")
    cpu_avg: CpuAverage
    temperature: Temperature
    cpu_usage: CpuUsage
    memory: Memory
    storage: Storage


class LogTail(Answer):
    """The newest lines of a log."""

    model_config = example(
        {
            "log_type": "watchdog",
            "lines": ["[2026-02-11 22:02:41] INFO: cam0: worker 4711 was started"],
            "total_lines": 1,
        }
    )

    log_type: str = Field(description="health, alerts or watchdog.")
    lines: list[str] = Field(description="Oldest first, without white space at their ends.")
    total_lines: int | None = Field(
        default=None, description="How many lines these are; missing where there is no file."
    )
    message: str | None = Field(
        default=None, description="Only where nothing was ever written: that there is no file yet."
    )


Column = list[float | None]


class MetricsSeries(Answer):
    """A value for each time; null where it is not known."""

    cpu_percent: Column = Field(description="Of all cores.")
    memory_percent: Column = Field(description="Of the memory, in use.")
    disk_percent: Column = Field(description="Of the recordings' disk, in use.")
    temperature_c: Column = Field(description="Of the hottest zone; null where there is none.")
    engines: Column = Field(description="Engines that ran.")
    streams: Column = Field(description="Streams that played.")


class MetricsHistory(Answer):
    """Figures over time: columns of equal length, the mean over each step."""

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
        }
    )

    range: Literal["hour", "day"] = Field(description="As it was asked for.")
    step_s: int = Field(description="Seconds from one time to the next.")
    from_: float = Field(alias="from", description="Where the range begins, in Unix seconds.")
    to: float = Field(description="Now, in Unix seconds by the server's clock.")
    times: list[float] = Field(
        description="Where each step begins, in Unix seconds. One time with nulls stands where"
        " nothing was kept, such as while the server was not running."
    )
    series: MetricsSeries


class Finding(Answer):
    """One thing that was looked at."""

    what: str
    state: Literal["ok", "info", "warn", "missing"]
    message: str
    mend: str | None = Field(description="The command or setting that puts it right.")


class Findings(Answer):
    """What this machine lacks for its settings."""

    ok: bool = Field(description="Nothing that is needed is missing.")
    findings: list[Finding] = Field(description="In the order in which they should be mended.")


class TimeRange(Answer):
    """What was looked through, in UTC without a zone."""

    model_config = ConfigDict(extra="allow")

    since: str = Field(alias="from", description="Lines that are older do not count.")
    to: str = Field(description="When this was asked.")


class Sources(Answer):
    """The logs that were read, with the older files they were turned over to."""

    api_log: str = Field(description="Where failed stops and probes are looked for.")
    error_log: str = Field(description="Where hardware errors are looked for.")
    worker_logs: list[str] = Field(
        default=[], description="And where camera workers and their drivers tell them."
    )


class CorrelationCounts(Answer):
    """How many lines of each kind there are."""

    nvvic_errors: int = Field(description="Errors of the video hardware.")
    recording_stop_timeouts: int = Field(description="Stops that a camera did not finish in time.")
    probe_failures: int = Field(description="Segments that a probe refused.")
    correlated_nvvic_events: int = Field(
        description="Hardware errors with one of the others within the window."
    )


class LogEvent(Answer):
    """A line of a log."""

    timestamp: str | None = Field(description="UTC without a zone; null where the line has none.")
    line: str = Field(description="The line, or the part of a very long one that counts.")


class CorrelatedEvent(LogEvent):
    """A hardware error and what happened around it."""

    timeouts_within_window: int = Field(description="Stops that timed out, before or after it.")
    probe_failures_within_window: int = Field(description="Segments refused, before or after it.")


class RecentEvents(Answer):
    """The newest twenty of each kind, oldest first."""

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
    """Which errors of the video hardware stand beside which failures of a recording."""

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

    lookback_minutes: int = Field(description="As used: within 1 to 1440.")
    max_lines_scanned: int = Field(description="Of each log, as used: within 200 to 50000.")
    correlation_window_seconds: int = Field(description="As used: within 1 to 3600.")
    time_range: TimeRange
    sources: Sources
    counts: CorrelationCounts
    recent: RecentEvents
