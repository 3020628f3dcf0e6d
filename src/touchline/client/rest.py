"""The HTTP part of the client: one method for each route that programs need."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self, cast
from urllib.parse import quote

import aiohttp
from yarl import URL

from touchline.client.errors import Rejected, Unreachable
from touchline.client.live import Live
from touchline.client.models import (
    PipelineState,
    PreviewStatus,
    RecordingStatus,
    Report,
    StartReport,
    Status,
    StopReport,
)

API = "/api/v1"
BLOCK_BYTES = 1 << 20


class Client:
    """Client for a server's HTTP interface and its WebSocket. Use it with `async with`.

    Every method raises Unreachable without a response and Rejected for an error status. A request
    that the server declined (already recording, still protected) is not an error: check `success`.
    """

    def __init__(self, url: str, *, api_key: str | None = None, timeout_s: float = 60.0) -> None:
        self._url = url.rstrip("/")
        self._headers = {} if api_key is None else {"Authorization": f"Bearer {api_key}"}
        self._timeout_s = timeout_s
        self._session: aiohttp.ClientSession | None = None

    async def __aenter__(self) -> Self:
        self._session = aiohttp.ClientSession(
            headers=self._headers, timeout=aiohttp.ClientTimeout(total=self._timeout_s)
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if self._session is not None:
            await self._session.close()
            self._session = None

    # ------------------------------------------------------------- states

    async def status(self) -> Status:
        """Return the state of recording and preview."""
        return cast("Status", await self._ask("GET", "/status"))

    async def pipeline_state(self) -> PipelineState:
        """Return the current use of the cameras."""
        return cast("PipelineState", await self._ask("GET", "/pipeline-state"))

    async def cameras(self) -> list[dict[str, Any]]:
        """Return all cameras with their newest statistics."""
        answer = await self._ask("GET", "/cameras")
        return cast("list[dict[str, Any]]", answer["cameras"])

    async def health(self) -> dict[str, Any]:
        """Return the health of the machine."""
        return cast("dict[str, Any]", await self._ask("GET", "/health"))

    async def system_metrics(self) -> dict[str, Any]:
        """Return clocks, temperatures, load, memory and disk of the machine."""
        return cast("dict[str, Any]", await self._ask("GET", "/system-metrics"))

    async def logs(self, log_type: str, *, lines: int = 100) -> list[str]:
        """Return the newest lines of `health`, `alerts` or `watchdog`, oldest first."""
        answer = await self._ask("GET", f"/logs/{quote(log_type, safe='')}", {"lines": str(lines)})
        return cast("list[str]", answer["lines"])

    # ------------------------------------------------------------- recording

    async def recording(self) -> RecordingStatus:
        """Return the state of the recording."""
        return cast("RecordingStatus", await self._ask("GET", "/recording"))

    async def recording_health(self) -> dict[str, Any]:
        """Return the health of the running recording, camera by camera."""
        return cast("dict[str, Any]", await self._ask("GET", "/recording-health"))

    async def start_recording(
        self,
        match_id: str | None = None,
        *,
        force: bool = False,
        process_after_recording: bool = False,
    ) -> StartReport:
        """Record a match; returns once the first frames are on disk."""
        body = {
            "match_id": match_id,
            "force": force,
            "process_after_recording": process_after_recording,
        }
        return cast("StartReport", await self._ask("POST", "/recording", body=body))

    async def stop_recording(self, *, force: bool = False) -> StopReport:
        """Stop recording; returns once the footage of every camera is finalised and checked."""
        asked = {"force": "true" if force else "false"}
        return cast("StopReport", await self._ask("DELETE", "/recording", asked))

    # ------------------------------------------------------------- preview

    async def preview(self) -> PreviewStatus:
        """Return the state of the preview."""
        return cast("PreviewStatus", await self._ask("GET", "/preview"))

    async def start_preview(
        self, camera_id: int | None = None, *, transport: str | None = None
    ) -> Report:
        """Start showing one camera or all; `transport` is `hls` or `webrtc`."""
        body = {"camera_id": camera_id, "transport": transport}
        return cast("Report", await self._ask("POST", "/preview", body=body))

    async def stop_preview(self, camera_id: int | None = None) -> Report:
        """Stop showing one camera or all."""
        asked = {} if camera_id is None else {"camera_id": str(camera_id)}
        return cast("Report", await self._ask("DELETE", "/preview", asked))

    # ------------------------------------------------------------- the library

    async def recordings(self) -> dict[str, dict[str, Any]]:
        """Return all matches with footage, by id."""
        answer = await self._ask("GET", "/recordings")
        return cast("dict[str, dict[str, Any]]", answer["recordings"])

    async def segments(self, match_id: str) -> dict[str, Any]:
        """Return the segments of a match by camera, in recording order."""
        return cast("dict[str, Any]", await self._ask("GET", f"{_match(match_id)}/segments"))

    async def verify(self, match_id: str) -> dict[str, Any]:
        """Read every fragment of the match again; return `ok` and the location of each fault."""
        return cast("dict[str, Any]", await self._ask("POST", f"{_match(match_id)}/verify"))

    async def delete(self, match_id: str) -> dict[str, Any]:
        """Delete a match with all its files."""
        return cast("dict[str, Any]", await self._ask("DELETE", _match(match_id)))

    async def save_match(self, match_id: str, path: Path) -> None:
        """Download the match to `path` as one ZIP; the file appears once it is complete."""
        await self._save(f"{_match(match_id)}/download", path)

    async def save_segment(self, match_id: str, name: str, path: Path) -> None:
        """Download a segment to `path`; the file appears once it is complete."""
        await self._save(f"{_match(match_id)}/segments/{quote(name, safe='')}", path)

    # ------------------------------------------------------------- updates

    @asynccontextmanager
    async def live(self, *channels: str) -> AsyncIterator[Live]:
        """Open the server's WebSocket within this scope; channel `status` if none is named."""
        live = Live(self._open_session(), f"{self._url}/ws", channels=channels or ("status",))
        keeping = asyncio.create_task(live.keep())
        try:
            yield live
        finally:
            keeping.cancel()
            await asyncio.wait([keeping])

    # ------------------------------------------------------------- requests

    def _open_session(self) -> aiohttp.ClientSession:
        if self._session is None:
            raise RuntimeError("the client is not open: use it as `async with Client(…) as client`")
        return self._session

    async def _ask(
        self,
        method: str,
        path: str,
        params: Mapping[str, str] | None = None,
        *,
        body: Any = None,
    ) -> Any:
        async with self._answer(method, path, params=params, json=body) as answer:
            return await answer.json()

    async def _save(self, path: str, to: Path) -> None:
        unfinished = to.with_name(f"{to.name}.part")
        try:
            # The duration of a download is unlimited; only silence is an error.
            silence = aiohttp.ClientTimeout(total=None, sock_read=self._timeout_s)
            async with self._answer("GET", path, timeout=silence) as answer:
                with await asyncio.to_thread(unfinished.open, "wb") as file:
                    async for block in answer.content.iter_chunked(BLOCK_BYTES):
                        await asyncio.to_thread(file.write, block)
            await asyncio.to_thread(unfinished.replace, to)
        finally:
            await asyncio.to_thread(unfinished.unlink, missing_ok=True)

    @asynccontextmanager
    async def _answer(
        self, method: str, path: str, **options: Any
    ) -> AsyncIterator[aiohttp.ClientResponse]:
        # A quoted path must not be quoted again, nor `%2F` be read as a separator.
        url = URL(f"{self._url}{API}{path}", encoded=True)
        try:
            async with self._open_session().request(method, url, **options) as answer:
                if answer.status >= 400:
                    raise _rejection(answer.status, await answer.text())
                yield answer
        except (TimeoutError, aiohttp.ClientError) as error:
            raise Unreachable(f"{method} {url}: {str(error) or type(error).__name__}") from error


def _match(match_id: str) -> str:
    return f"/recordings/{quote(match_id, safe='')}"


def _rejection(status: int, text: str) -> Rejected:
    try:
        body = json.loads(text)
        return Rejected(status, body["detail"], body.get("code"))
    except (ValueError, TypeError, KeyError):
        return Rejected(status, text)
