"""A server in memory by its own description, and what schemathesis finds in its answers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cache
from typing import TYPE_CHECKING, Any

import schemathesis
from schemathesis import GenerationMode
from schemathesis.checks import (
    ignored_auth,
    negative_data_rejection,
    not_a_server_error,
    positive_data_acceptance,
)
from schemathesis.core.parameters import ParameterLocation

from support.fuzzed import ENGINE, FILE_NAME, KEY, LOG_FILE, MARKER_ID, MATCH_ID, SEGMENT
from touchline.web.app import bare_app

if TYPE_CHECKING:
    from fastapi import FastAPI
    from schemathesis import CheckFunction

Operation = tuple[str, str]

HOST = {"Host": "localhost"}
WITH_KEY = {**HOST, "Authorization": f"Bearer {KEY}"}

REAL: Mapping[str, Any] = {
    "match_id": MATCH_ID,
    "segment_name": SEGMENT,
    "file_name": FILE_NAME,
    "log_type": "alerts",
    "log_file": LOG_FILE,
    "camera_id": 0,
    "camera": "cam0",
    "stream": "cam0",
    "container_id": ENGINE.id,
    "stream_id": "ch-42",
    "marker_id": MARKER_ID,
    "slot_id": 1,
    "demand": 2,
}
"""Names in paths that exist: behind a 404 nothing would ever be reached."""

_PANORAMA = "/api/v1/panorama"
_TEMPLATES = "/custom-variant/templates/{slot_id}"
_NO_SUCH_STATE = "the contract has 400 for what the present state does not allow"
_PARAMETERS = "GET /custom-variant/parameters says which parameters there are, and their values"
SENSE: Mapping[Operation, Mapping[int, str]] = {
    ("POST", f"{_PANORAMA}/calibration/start"): {400: _NO_SUCH_STATE},
    ("POST", f"{_PANORAMA}/calibration/capture"): {400: _NO_SUCH_STATE},
    ("POST", f"{_PANORAMA}/calibration/complete"): {400: _NO_SUCH_STATE},
    ("POST", f"{_PANORAMA}/calibration/from-match"): {400: _NO_SUCH_STATE},
    ("POST", f"{_PANORAMA}/preview/start"): {400: _NO_SUCH_STATE},
    ("POST", f"{_PANORAMA}/preview/stop"): {400: _NO_SUCH_STATE},
    ("POST", f"{_PANORAMA}/process"): {400: _NO_SUCH_STATE},
    ("PUT", f"{_PANORAMA}/config"): {400: "a change whose values are all null changes nothing"},
    ("DELETE", _TEMPLATES): {400: "the active template is kept"},
    ("POST", "/custom-variant/config"): {400: _PARAMETERS},
    ("POST", _TEMPLATES): {400: _PARAMETERS},
    ("POST", f"{_TEMPLATES}/import"): {400: "what the text says in its turn is no form of JSON"},
    ("POST", "/provision/acestream"): {422: "the configuration says what an engine may be given"},
    ("POST", "/api/v1/links"): {422: "which paths are media follows from the routes"},
    ("GET", "/api/v1/recordings/{match_id}/clip"): {422: "the end has to lie behind the start"},
    ("HEAD", "/api/v1/recordings/{match_id}/clip"): {422: "the end has to lie behind the start"},
    ("POST", "/api/v1/whep/{stream}"): {400: "what an offer says is no form of JSON"},
    ("PATCH", "/api/v1/whep/{stream}/{session_id}"): {400: "nor is what a fragment says"},
    ("GET", "/streams/{stream_id}/livepos"): {
        400: "the stream is on an engine of somebody else",
        410: "the engine plays nothing of the kind",
    },
    ("GET", "/streams/{stream_id}/extended-stats"): {410: "the engine plays nothing of the kind"},
}
"""Statuses of well-formed requests that are refused all the same, and why no schema can say it."""

TEXTS = ("application/sdp", "application/trickle-ice-sdpfrag")


def operations() -> list[Operation]:
    """Method and path of every operation of both halves, in the order in which they are asked.

    The clean-up comes first, as nobody is there who would remove what it orders. What makes engines
    follows, so that streams have one to be on, and what deletes comes last.
    """

    def turn(operation: Operation) -> tuple[bool, bool, bool]:
        method, path = operation
        return method == "DELETE", path != "/gc", not path.startswith("/provision")

    paths = description()["paths"]
    found = [(method.upper(), path) for path, item in paths.items() for method in item]
    return sorted(found, key=turn)


@cache
def description() -> dict[str, Any]:
    """The API's description; to be read only."""
    return bare_app().openapi()


@schemathesis.serializer(*TEXTS)
def _text(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


class Described:
    """The description of an application, and requests that follow from it."""

    def __init__(self, app: FastAPI, headers: Mapping[str, str] = WITH_KEY) -> None:
        self._headers = dict(headers)
        self._api = schemathesis.openapi.from_asgi("/openapi.json", app, headers=self._headers)
        self._ask_for_the_key: set[str] = set()

    def operation(self, method: str, path: str) -> Any:
        """One operation of the description."""
        return self._api[path][method]

    def boundaries(self, method: str, path: str) -> Iterator[Any]:
        """Requests on both sides of every boundary that the description of an operation has."""
        operation = self.operation(method, path)
        generation = self._api.config.generation_for(operation=operation, phase="coverage")
        yield from self._api.iter_coverage_cases(
            operation, generation_modes=list(GenerationMode), generation_config=generation
        )

    def ask(self, case: Any) -> int:
        """Return the status of the answer. Raises where anything is not as it is described."""
        _make_sense(case)
        response = case.call(headers=self._headers)
        status: int = response.status_code
        case.validate_response(
            response,
            headers=self._headers,
            transport_kwargs={"headers": self._headers},
            excluded_checks=self._inapplicable(case, status),
        )
        if status < 300:
            self._ask_for_the_key.add(case.operation.label)
        return status

    def _inapplicable(self, case: Any, status: int) -> list[CheckFunction]:
        """The checks that have nothing to say of an answer."""
        found: list[CheckFunction] = []
        if case.operation.label in self._ask_for_the_key:
            # It is true of an operation or not, and each look at it takes several requests.
            found.append(ignored_auth)
        if status in SENSE.get((case.method, case.operation.path), ()):
            found.append(positive_data_acceptance)
        if status == 503:
            # "Not now" is an answer of the contract; nothing has failed.
            found.append(not_a_server_error)
        if status == 413 or (case.media_type in TEXTS and _only_body_is_wrong(case)):
            # A body that is too large is refused as well, and a text has no other type.
            found.append(negative_data_rejection)
        if any(isinstance(value, list) for value in (case.query or {}).values()):
            # Of a parameter that is given several times the last one counts, as docs/api says.
            found.append(negative_data_rejection)
        if case.operation.path == "/streams" and "container_id" in (case.query or {}):
            # Whatever is written there is a text, and may be the name of an engine.
            found.append(negative_data_rejection)
        return found


def _make_sense(case: Any) -> None:
    """Name things that exist, unless it is the wrong name that the request is about."""
    meta = case.meta
    if meta is None or not meta.is_negative_at(ParameterLocation.PATH):
        for name, value in REAL.items():
            if name in case.path_parameters:
                case.path_parameters[name] = value
    right = meta is not None and not meta.is_negative_at(ParameterLocation.BODY)
    if case.operation.path == "/events/stream_started" and right:
        # Which engine plays it, and where that is asked, is a matter of fact.
        root = f"http://{ENGINE.host}:{ENGINE.port}/ace"
        case.body["container_id"] = ENGINE.id
        # Where an earlier request has removed that engine, this is what there is to go by.
        case.body["engine"] |= {"host": ENGINE.host, "port": ENGINE.port}
        urls = {"stat_url": f"{root}/stat/a/s", "command_url": f"{root}/cmd/a/s"}
        case.body["session"] |= urls


def _only_body_is_wrong(case: Any) -> bool:
    meta = case.meta
    return meta is not None and not any(
        component.mode.is_negative and location != ParameterLocation.BODY
        for location, component in meta.components.items()
    )
