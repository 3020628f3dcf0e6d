"""Commands of the WebSocket: the same calls as the routes, with the same checks."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from touchline.core.errors import Invalid
from touchline.web.models.capture.recording import StartRecording
from touchline.web.routes.capture.recording import start
from touchline.web.websocket.commands import Action

if TYPE_CHECKING:
    from touchline.capture import Capture

Run = Callable[["Capture", Mapping[str, Any]], Awaitable[Any]]

MOST_LINES = 500
"""Maximum number of lines of `get_logs`; the route allows more."""


class _Stop(BaseModel):
    """Options of stopping a recording."""

    force: bool | None = False


class _Preview(BaseModel):
    """What to show; None means every camera, and the server's preferred transport."""

    camera_id: int | None = None
    transport: str | None = None


class _Logs(BaseModel):
    """Log to read."""

    log_type: str | None = "health"
    lines: int | None = 200


class _Match(BaseModel):
    """Match that the command refers to."""

    match_id: str | None = None


def actions_of(capture: Capture) -> dict[str, Action]:
    """Return the seven actions of the contract."""
    changing: Mapping[str, Run] = {
        "start_recording": _start_recording,
        "stop_recording": _stop_recording,
        "start_preview": _start_preview,
        "stop_preview": _stop_preview,
    }
    reading: Mapping[str, Run] = {
        "get_recordings": _get_recordings,
        "get_logs": _get_logs,
        "get_panorama_processing": _get_panorama_processing,
    }
    return {
        **{name: Action(partial(run, capture), refreshes=True) for name, run in changing.items()},
        **{name: Action(partial(run, capture), reads=True) for name, run in reading.items()},
    }


async def _start_recording(capture: Capture, params: Mapping[str, Any]) -> Any:
    asked = StartRecording.model_validate(params)
    return await start(capture, asked)


async def _stop_recording(capture: Capture, params: Mapping[str, Any]) -> Any:
    asked = _Stop.model_validate(params)
    return await capture.recorder.stop(force=bool(asked.force))


async def _start_preview(capture: Capture, params: Mapping[str, Any]) -> Any:
    asked = _Preview.model_validate(params)
    return await capture.preview.start(asked.camera_id, asked.transport)


async def _stop_preview(capture: Capture, params: Mapping[str, Any]) -> Any:
    asked = _Preview.model_validate(params)
    return await capture.preview.stop(asked.camera_id)


async def _get_recordings(capture: Capture, params: Mapping[str, Any]) -> Any:
    del params
    return await capture.library.list()


async def _get_logs(capture: Capture, params: Mapping[str, Any]) -> Any:
    asked = _Logs.model_validate(params)
    lines = 200 if asked.lines is None else min(asked.lines, MOST_LINES)
    return await capture.logs.tail(asked.log_type or "health", lines)


async def _get_panorama_processing(capture: Capture, params: Mapping[str, Any]) -> Any:
    asked = _Match.model_validate(params)
    if not asked.match_id:
        raise Invalid("match_id is required", code="match_id_missing")
    return await capture.panorama.process_status(asked.match_id)
