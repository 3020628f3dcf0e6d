"""The API as documented, against requests that nobody would write: no 500, and no surprise."""

from __future__ import annotations

import json
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any, cast

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pydantic import SecretStr
from schemathesis import GenerationMode
from schemathesis.checks import (
    negative_data_rejection,
    not_a_server_error,
    positive_data_acceptance,
)

from fakes import FakeSystem
from footage import write_segment
from support.played import PlayedPanorama, PlayedPreview
from touchline.capture.library import Library
from touchline.capture.sessions import WebRtcSessions
from touchline.core.db import Database
from touchline.core.events import EventLog
from touchline.core.metrics import Metrics
from touchline.engines.model import Engine, Stream
from touchline.web import (
    capture,
    clips,
    create_app,
    diagnostics,
    engines,
    events,
    library,
    orchestrator,
    panorama,
    preview,
    processing,
    provisioning,
    service,
    streams,
    variants,
    whep,
)

MAX_EXAMPLES = 40
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ENGINE = Engine(
    "f" * 64, "acestream-1", "127.0.0.1", 19000, "127.0.0.1", 19000, NOON, NOON, health="healthy"
)
STREAM = Stream(
    id="ch-42",
    key_type="infohash",
    key="a" * 40,
    container_id=ENGINE.id,
    playback_session_id="s",
    stat_url="http://127.0.0.1:19000/ace/stat/a/s",
    command_url="http://127.0.0.1:19000/ace/cmd/a/s",
    is_live=True,
    started_at=NOON,
)
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
    "container_id": ENGINE.id,
    "stream_id": "ch-42",
    "slot_id": 1,
    "demand": 2,
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
    # There is no VPN, nothing is measured, and no example points at the engine by chance.
    "/vpn/publicip": {503},
    "/engines/{container_id}/stats": {404},
    "/events/stream_started": {422},
    "/containers/{container_id}": {200, 404},
    "/streams/{stream_id}/livepos": {410},
    "/streams/{stream_id}/extended-stats": {200},
    # Made by chance, what is posted makes sense only by chance.
    "/provision": {200, 400, 409, 422},
    "/engines/select": {200, 422, 503},
    "/provision/acestream": {200, 422, 503},
    "/custom-variant/config": {200, 400},
    "/custom-variant/templates/{slot_id}": {200, 400},
    "/custom-variant/templates/{slot_id}/rename": {200, 400},
    "/custom-variant/templates/{slot_id}/import": {400},
    # The match's only segment is random bytes, and nobody has calibrated anything.
    "/api/v1/recordings/{match_id}/clip": {200, 404, 422, 500},
    "/api/v1/recordings/{match_id}/vod/{camera}/init/{file_name}": {404},
    "/api/v1/recordings/{match_id}/vod/{camera}/media/{file_name}/{sequence}.{suffix}": {404},
    "/api/v1/recordings/{match_id}/markers": {200, 422},
    "/api/v1/recordings/{match_id}/markers/{marker_id}": {404},
    "/api/v1/recordings/{match_id}/process": {409},
    "/api/v1/processing/jobs/{job_id}": {404},
    "/api/v1/processing/jobs/{job_id}/retry": {404},
    "/api/v1/processing/jobs/{job_id}/cancel": {404},
    "/api/v1/panorama/config": {200, 400},
    "/api/v1/panorama/calibration/capture": {400, 500},
    "/api/v1/panorama/calibration/complete": {400},
    "/api/v1/panorama/calibration/from-match": {404},
    "/api/v1/panorama/calibrations/{version}": {404},
    "/api/v1/panorama/calibrations/{version}/activate": {404},
    "/api/v1/panorama/preview/start": {503},
    "/api/v1/panorama/preview/stop": {400},
    "/api/v1/panorama/process": {400},
}
KEY = "a-key-of-some-length"
WITH_KEY = {**HOST, "Authorization": f"Bearer {KEY}"}

# The contract takes 0, "yes" and the like for booleans, and unknown names for nothing.
COERCED = [negative_data_rejection]
# What is ordered here has to make sense as well as to have the right shape.
SENSE = [*COERCED, positive_data_acceptance]
SENSIBLE = (
    "/provision",
    "/events/stream_",
    "/engines/select",
    "/custom-variant",
    "/streams",
    "/api/v1/panorama",
    "/api/v1/recordings/{match_id}/clip",
    "/api/v1/recordings/{match_id}/markers",
)
# There is no VPN, nobody plays, and engines run out: 503 is the contract's answer to that.
SILENT = [*SENSE, not_a_server_error]
UNAVAILABLE = (
    "/vpn/publicip",
    "/streams/{stream_id}/livepos",
    "/engines/select",
    "/provision/acestream",
    "/api/v1/panorama/preview/start",
    "/api/v1/panorama/calibration/capture",
    "/api/v1/recordings/{match_id}/clip",
)

OPERATIONS = [
    (method, route.path, GenerationMode.POSITIVE)
    for router in (
        service.router,
        capture.router,
        preview.router,
        preview.hls,
        whep.router,
        diagnostics.router,
        provisioning.router,
        engines.router,
        streams.reports,
        streams.router,
        orchestrator.router,
        variants.router,
        events.router,
        library.router,
        clips.router,
        panorama.router,
        processing.router,
    )
    for route in router.routes
    if isinstance(route, APIRoute) and route.include_in_schema
    for method in sorted(route.methods or ())
]
OPERATIONS.sort(key=lambda operation: operation[0] == "DELETE")  # what is gone answers no more
# The other operations take nothing but strings in their path, and no string is of a wrong type.
WRONG_INPUT = [
    ("POST", "/api/v1/recording", GenerationMode.NEGATIVE),
    ("DELETE", "/api/v1/recording", GenerationMode.NEGATIVE),
    ("GET", "/events", GenerationMode.NEGATIVE),
    ("POST", "/events/cleanup", GenerationMode.NEGATIVE),
    ("POST", "/provision/acestream", GenerationMode.NEGATIVE),
    ("POST", "/events/stream_started", GenerationMode.NEGATIVE),
    ("POST", "/engines/select", GenerationMode.NEGATIVE),
    ("POST", "/scale/{demand}", GenerationMode.NEGATIVE),
    ("POST", "/custom-variant/config", GenerationMode.NEGATIVE),
    ("GET", "/streams", GenerationMode.NEGATIVE),
    ("GET", "/streams/{stream_id}/stats", GenerationMode.NEGATIVE),
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
    system.capture.process_with(folder, system.capture.library)
    template = {"name": "Derby", "config": {"platform": "amd64"}}
    for slot in (1, 2):
        (folder / "variants" / f"template_{slot}.json").write_text(json.dumps(template))
    system.engines.variants.load()
    system.engines.fleet.freshness.listed(0.0)
    system.engines.fleet.put(ENGINE)
    system.engines.fleet.put_stream(STREAM)
    system.capture.sessions = WebRtcSessions(
        cast("Any", PlayedPreview()), cast("Any", PlayedPanorama()), (0, 1)
    )
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
        excluded = SENSE if path.startswith(SENSIBLE) else COERCED
        excluded = SILENT if path in UNAVAILABLE else excluded
        response = case.call_and_validate(headers=WITH_KEY, excluded_checks=excluded)
        seen.add(response.status_code)

    check()
    assert seen & LIVE.get(path, EXPECTED[mode]), f"nothing but {seen}"
