"""Routes of diagnostics: machine metrics, logs and correlated log events."""

from __future__ import annotations

from functools import partial
from typing import Annotated

from anyio import to_thread
from fastapi import APIRouter, Path, Query, Request, Response
from starlette.exceptions import HTTPException

from touchline.capture import (
    LOG_TYPES,
    LogFileList,
    LogFileTail,
    LogTail,
    RecordingCorrelations,
    SystemMetrics,
)
from touchline.check import check
from touchline.core.errors import Invalid
from touchline.core.history.answers import Range
from touchline.web.auth.auth import NEEDS_KEY, PRIVATE
from touchline.web.http.answers import answer
from touchline.web.http.deps import CaptureDep, system_of
from touchline.web.http.errors import may_answer
from touchline.web.http.routes import Route
from touchline.web.http.work import done_for
from touchline.web.models.capture.diagnostics import Findings, MetricsHistory

router = APIRouter(
    prefix="/api/v1", tags=["diagnostics"], responses=may_answer(500), route_class=Route
)


@router.get(
    "/system-metrics",
    name="system-metrics",
    operation_id="get_system_metrics",
    summary="Get metrics of the machine",
    response_model=SystemMetrics,
)
async def get_system_metrics(capture: CaptureDep) -> Response:
    """Return clocks, temperatures, load, memory and disk of the machine."""
    return answer(capture.machine.metrics())


@router.get(
    "/logs/{log_type}",
    name="logs",
    operation_id="get_log",
    summary="Get the newest lines of a log",
    response_model=LogTail,
    responses=may_answer(400, 401, 403, 404),
    dependencies=[PRIVATE],
)
async def get_log(
    capture: CaptureDep,
    # Documented as an enumeration but not one: the contract demands 400 for other values.
    log_type: Annotated[
        str, Path(description="Type of the log.", json_schema_extra={"enum": list(LOG_TYPES)})
    ],
    lines: Annotated[int, Query(ge=1, le=5000, description="Maximum number of lines.")] = 100,
) -> Response:
    """Return the newest lines of a log, including rotated files.

    A log that does not exist yet has no lines, and `message` says so.
    """
    try:
        return answer(await capture.logs.tail(log_type, lines))
    except Invalid as error:
        raise HTTPException(400, error.message) from error


@router.get(
    "/log-files",
    name="log-files",
    operation_id="list_log_files",
    summary="List the log files",
    response_model=LogFileList,
    responses=may_answer(401, 403),
    dependencies=[PRIVATE],
)
async def list_log_files(capture: CaptureDep) -> Response:
    """List the log files of the server, its camera workers and its other programs."""
    return answer(await capture.logs.files())


@router.get(
    "/log-files/{log_file}",
    name="log-file",
    operation_id="get_log_file",
    summary="Get the newest lines of a log file",
    response_model=LogFileTail,
    responses=may_answer(401, 403, 404),
    dependencies=[PRIVATE],
)
async def get_log_file(
    capture: CaptureDep,
    log_file: Annotated[str, Path(description="Name of a file in `GET /api/v1/log-files`.")],
    lines: Annotated[int, Query(ge=1, le=5000, description="Maximum number of lines.")] = 100,
) -> Response:
    """Return the newest lines of a log file, including rotated files: at most the last 4 MiB."""
    return answer(await capture.logs.tail_file(log_file, lines))


@router.get(
    "/diagnostics/recording-correlations",
    name="recording-correlations",
    operation_id="get_recording_correlations",
    summary="Correlate hardware errors with failed recordings",
    response_model=RecordingCorrelations,
)
async def get_recording_correlations(
    capture: CaptureDep,
    lookback_minutes: Annotated[
        int, Query(description="Time window in minutes, clamped to 1 to 1440.")
    ] = 60,
    max_lines: Annotated[
        int, Query(description="Lines to read of each log, clamped to 200 to 50000.")
    ] = 5000,
    correlation_window_seconds: Annotated[
        int,
        Query(description="Maximum distance of correlated lines in seconds, clamped to 1 to 3600."),
    ] = 180,
) -> Response:
    """Find NvVIC allocator and open errors, and the stop timeouts and probe failures around them.

    Parameters out of bounds are clamped. All times are UTC.
    """
    return answer(
        await capture.diagnostics.correlations(
            lookback_minutes=lookback_minutes,
            max_lines=max_lines,
            correlation_window_seconds=correlation_window_seconds,
        )
    )


@router.get(
    "/metrics-history",
    name="metrics-history",
    operation_id="get_metrics_history",
    summary="Get metrics of the last hour, day or week",
    response_model=MetricsHistory,
)
async def get_metrics_history(
    request: Request,
    capture: CaptureDep,
    wanted: Annotated[
        Range,
        Query(
            alias="range",
            description="Time range: `hour` in steps of 10 s, `day` of two minutes, `week` of 14"
            " minutes.",
        ),
    ] = "hour",
) -> Response:
    """Return metrics of the machine and the fleet over time, including before a restart.

    `matches` are those recorded in this time, from the library.
    """
    window = system_of(request).history.read(wanted)
    matches = await capture.library.between(window["from"], window["to"])
    history: MetricsHistory = {**window, "matches": list(matches)}
    return answer(history)


@router.get(
    "/check",
    name="check",
    operation_id="check_machine",
    summary="Check the readiness of this machine",
    response_model=Findings,
    responses=may_answer(401, 403, 503),
    dependencies=[NEEDS_KEY],
)
async def check_machine(request: Request) -> Response:
    """Run `touchline check` with the settings of this server. This takes some seconds."""
    one_at_a_time = request.app.state.checks
    system = system_of(request)
    measured_bps = system.capture.recorder.bitrate_bps()
    look = partial(check, system.settings, measured_bps=measured_bps)
    work = partial(to_thread.run_sync, look, limiter=one_at_a_time)
    findings = await done_for(request, "diagnosis", work)
    result: Findings = {
        "ok": all(finding.state != "missing" for finding in findings),
        "findings": [
            {
                "what": finding.what,
                "state": finding.state,
                "message": finding.message,
                "mend": finding.mend,
            }
            for finding in findings
        ],
    }
    return answer(result)
