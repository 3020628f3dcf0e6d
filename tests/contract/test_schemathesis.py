"""The API as documented, against requests that nobody would write: no 500, and no surprise."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from fastapi.routing import APIRoute
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from schemathesis import GenerationMode
from schemathesis.checks import (
    negative_data_rejection,
    not_a_server_error,
    positive_data_acceptance,
)

from support.fuzzed import ENGINE, FILE_NAME, KEY, MATCH_ID, SEGMENT, fuzzed_system
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
HOST = {"Host": "localhost"}

REAL: dict[str, Any] = {
    "match_id": MATCH_ID,
    "segment_name": SEGMENT,
    "file_name": FILE_NAME,
    "log_type": "alerts",
    "camera_id": 0,
    "camera": "cam0",
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
    with fuzzed_system(folder) as system:
        yield schemathesis.openapi.from_asgi("/openapi.json", create_app(system), headers=HOST)


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
