"""The API as documented, against requests that nobody would write: no 500, and no surprise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, cast

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import negative_data_rejection

from fakes import FakeSystem
from footage import write_segment
from support.played import PlayedPreview
from touchline.capture.library import Library
from touchline.capture.sessions import WebRtcSessions
from touchline.core.db import Database
from touchline.core.events import EventLog
from touchline.core.metrics import Metrics
from touchline.web import capture, create_app, diagnostics, events, library, preview, service, whep

MAX_EXAMPLES = 40
HOST = {"Host": "localhost"}
MATCH_ID = "match_20260211_001"
SEGMENT = "cam0_20260211_220241_00.mp4"

REAL: dict[str, Any] = {
    "match_id": MATCH_ID,
    "segment_name": SEGMENT,
    "file_name": "match.json",
    "log_type": "alerts",
    "camera_id": 0,
    "stream": "cam0",
}
EXPECTED = {
    GenerationMode.POSITIVE: {200, 409},
    GenerationMode.NEGATIVE: {422},
}
# Nothing is shown here, and sessions begin with an answer of their own: tests/system plays both.
LIVE = {
    "/hls/{name}": {404},
    "/api/v1/whep/{stream}": {201},
    "/api/v1/whep/{stream}/{session_id}": {404},
}
KEY = "a-key-of-some-length"
WITH_KEY = {**HOST, "Authorization": f"Bearer {KEY}"}

# The contract takes 0, "yes" and the like for booleans, and unknown names for nothing.
COERCED = [negative_data_rejection]

OPERATIONS = [
    (method, route.path, GenerationMode.POSITIVE)
    for router in (
        service.router,
        capture.router,
        preview.router,
        preview.hls,
        whep.router,
        diagnostics.router,
        events.router,
        library.router,
    )
    for route in router.routes
    if isinstance(route, APIRoute) and route.include_in_schema
    for method in sorted(route.methods or ())
]
# The other operations take nothing but strings in their path, and no string is of a wrong type.
WRONG_INPUT = [
    ("POST", "/api/v1/recording", GenerationMode.NEGATIVE),
    ("DELETE", "/api/v1/recording", GenerationMode.NEGATIVE),
    ("GET", "/events", GenerationMode.NEGATIVE),
    ("POST", "/events/cleanup", GenerationMode.NEGATIVE),
    ("GET", "/api/v1/logs/{log_type}", GenerationMode.NEGATIVE),
    ("GET", "/api/v1/diagnostics/recording-correlations", GenerationMode.NEGATIVE),
]


@schemathesis.serializer("application/sdp", "application/trickle-ice-sdpfrag")
def _text(_context: Any, value: Any) -> bytes:
    return value if isinstance(value, bytes) else str(value).encode()


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    """The documented API of a server with a key, a real library and a recorder that obeys."""
    folder = tmp_path_factory.mktemp("fuzzed")
    root = folder / "recordings"
    write_segment(root / MATCH_ID / "segments" / SEGMENT)
    (root / MATCH_ID / REAL["file_name"]).write_text("{}")
    system: Any = FakeSystem.make(folder)
    system.settings.auth.api_key = SecretStr(KEY)
    # Of the running match nothing can be deleted, so that it is there for every example.
    system.capture.library = Library(root, is_running=lambda match_id: match_id == MATCH_ID)
    system.capture.sessions = WebRtcSessions(cast("Any", PlayedPreview()), (0, 1))
    database = Database(f"sqlite:///{folder}/touchline.db")
    system.events = EventLog(database, Metrics())
    system.events.record("engine", "created", "Created", container_id="c1")
    yield schemathesis.openapi.from_asgi("/openapi.json", create_app(system), headers=HOST)
    system.events.close()
    database.close()


@pytest.mark.parametrize(("method", "path", "mode"), OPERATIONS + WRONG_INPUT)
def test_every_operation_keeps_to_its_documentation(
    api: Any, method: str, path: str, mode: GenerationMode
) -> None:
    operation = api[path][method]
    seen: set[int] = set()

    @given(case=operation.as_strategy(generation_mode=mode), real=st.booleans())
    @settings(
        max_examples=MAX_EXAMPLES,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def check(case: Any, real: bool) -> None:  # noqa: FBT001
        if real:
            # Names that exist, or nothing behind a 404 would ever be reached.
            case.path_parameters |= {
                name: value for name, value in REAL.items() if name in case.path_parameters
            }
        response = case.call_and_validate(headers=WITH_KEY, excluded_checks=COERCED)
        seen.add(response.status_code)

    check()
    assert seen & LIVE.get(path, EXPECTED[mode]), f"nothing but {seen}"
