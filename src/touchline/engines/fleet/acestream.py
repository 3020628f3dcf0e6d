"""Client of the engines' HTTP API, with kept connections and time limits."""

from __future__ import annotations

import math
import re
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from touchline.core.errors import Failed, NotFound
from touchline.engines.http.client import HttpClient, open_http_client
from touchline.engines.http.errors import AnswerRefused, HttpFailed
from touchline.engines.model.model import Sample
from touchline.foreign.json import parse_foreign
from touchline.foreign.text import shown

LARGEST_ANSWER_BYTES = 1 << 20
MOST_AN_ENGINE = 4
_UNKNOWN_SESSION = "unknown playback session id"
_MOST = (1 << 63) - 1
_INFOHASH = re.compile(r"[0-9A-Za-z]{1,64}", re.ASCII)


class EngineUnreachable(Failed):
    """No answer from the engine in time."""

    default_code = "engine_unreachable"


class EngineAnswer(Failed):
    """Answer that is not in an engine's format."""

    default_code = "engine_answer"


class SessionGone(NotFound):
    """Session that the engine no longer knows."""

    default_code = "session_gone"


@dataclass(frozen=True, slots=True)
class Stat:
    """Session statistics from an engine."""

    sample: Sample
    is_live: bool
    infohash: str | None
    livepos: Mapping[str, Any] | None


class AceStreamClient:
    """Client with kept connections, one per server. Created by `open_acestream`.

    Redirects are not followed and nothing but JSON is read, at most a mebibyte of it. Every call
    raises EngineUnreachable or EngineAnswer, or returns, within `within_s`.
    """

    def __init__(self, http: HttpClient) -> None:
        self._http = http

    async def status(self, api_url: str, *, within_s: float) -> None:
        """Check that the engine is healthy."""
        await self._get(f"{api_url}/server/api?api_version=3&method=get_status", within_s)

    async def network_connected(self, api_url: str, *, within_s: float) -> bool:
        """Return whether the engine reaches the network."""
        url = f"{api_url}/server/api?api_version=3&method=get_network_connection_status"
        result = (await self._get(url, within_s)).get("result")
        return isinstance(result, dict) and result.get("connected") is True

    async def version(self, api_url: str, *, within_s: float) -> tuple[str | None, str | None]:
        """Return platform and version, as far as the engine reports them."""
        answer = await self._get(f"{api_url}/webui/api/service?method=get_version", within_s)
        result = answer.get("result")
        if not isinstance(result, dict):
            return None, None
        return _text(result.get("platform")), _text(result.get("version"))

    async def stat(self, url: str, *, now: Callable[[], datetime], within_s: float) -> Stat:
        """Return the statistics of a session. Raises SessionGone."""
        response = _response(await self._get(url, within_s))
        livepos = response.get("livepos")
        sample = Sample(
            ts=now(),
            peers=_number(response, "peers"),
            speed_down=_number(response, "speed_down", "speedDown"),
            speed_up=_number(response, "speed_up", "speedUp"),
            downloaded=_number(response, "downloaded"),
            uploaded=_number(response, "uploaded"),
            status=_text(response.get("status")),
        )
        return Stat(
            sample=sample,
            is_live=bool(response.get("is_live")),
            infohash=_infohash(response),
            livepos=livepos if isinstance(livepos, dict) else None,
        )

    async def analyze(self, api_url: str, infohash: str, *, within_s: float) -> dict[str, Any]:
        """Return the engine's information about a content, without unknown fields."""
        url = (
            f"{api_url}/server/api?api_version=3&method=analyze_content"
            f"&query=acestream:?infohash={infohash}"
        )
        result = (await self._get(url, within_s)).get("result")
        if not isinstance(result, dict):
            raise EngineAnswer("The engine has no details of this content", code="no_content")
        return {key: value for key, value in result.items() if value is not None}

    async def stop(self, command_url: str, *, within_s: float) -> None:
        """End a session. Raises SessionGone if it has already ended."""
        joint = "&" if "?" in command_url else "?"
        answer = await self._get(f"{command_url}{joint}method=stop", within_s)
        if answer.get("response") is None:
            raise _refusal(answer)

    async def _get(self, url: str, within_s: float) -> dict[str, Any]:
        try:
            status, body = await self._http.get(url, within_s=within_s)
        except TimeoutError as error:
            raise EngineUnreachable(f"The engine did not answer in {within_s:g} s") from error
        except AnswerRefused as error:
            raise EngineAnswer(f"The request to the engine failed: {error}") from error
        except HttpFailed as error:
            raise EngineUnreachable(f"The request to the engine failed: {error}") from error
        if status >= 300:
            raise EngineAnswer(f"The engine answered with status {status}")
        try:
            answer = parse_foreign(body)
        except ValueError as error:
            raise EngineAnswer("The engine's response is not valid JSON") from error
        if not isinstance(answer, dict):
            raise EngineAnswer("The engine's response is not a JSON object")
        return answer


@asynccontextmanager
async def open_acestream(*, concurrency: int) -> AsyncIterator[AceStreamClient]:
    """Open a client with at most `concurrency` connections in use at a time."""
    async with open_http_client(
        most=concurrency, most_a_host=MOST_AN_ENGINE, most_bytes=LARGEST_ANSWER_BYTES
    ) as http:
        yield AceStreamClient(http)


def _response(answer: Mapping[str, Any]) -> dict[str, Any]:
    response = answer.get("response")
    if isinstance(response, dict):
        return response
    raise _refusal(answer)


def _refusal(answer: Mapping[str, Any]) -> Failed | NotFound:
    error = answer.get("error")
    if isinstance(error, str) and _UNKNOWN_SESSION in error.lower():
        return SessionGone("The engine no longer knows this session")
    return EngineAnswer(f"The engine refused: {shown(str(error)[:1000], 200)}")


def _number(response: Mapping[str, Any], *names: str) -> int | None:
    """Return the first value that is present and not null; None if it is not a number."""
    value = next((response[name] for name in names if response.get(name) is not None), None)
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return int(max(-_MOST, min(_MOST, value)))


def _text(value: object) -> str | None:
    return str(value)[:128] if isinstance(value, (str, int, float)) else None


def _infohash(value: object, depth: int = 0) -> str | None:
    """Return the first infohash anywhere in the answer."""
    if depth > 8:
        return None
    if isinstance(value, dict):
        found = value.get("infohash")
        if isinstance(found, str) and _INFOHASH.fullmatch(found):
            return found
        inner = list(value.values())
    else:
        inner = value if isinstance(value, list) else []
    return next((hit for each in inner if (hit := _infohash(each, depth + 1))), None)
