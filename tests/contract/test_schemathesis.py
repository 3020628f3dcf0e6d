"""The API as described, against requests that nobody would write: no 500, and no surprise."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from schemathesis import GenerationMode

from support.described import Described, Operation, operations
from support.fuzzed import fuzzed_system
from touchline.web import create_app

FEW, MANY = 4, 60

EXPECTED = {
    GenerationMode.POSITIVE: {200, 201, 204, 409},
    GenerationMode.NEGATIVE: {422},
}
# What nothing is there for on this server: tests/system plays it.
NOTHING_THERE = {
    "/hls/{name}": {404},
    "/api/v1/whep/{stream}/{session_id}": {404},
    "/vpn/publicip": {503},
    "/engines/{container_id}/stats": {404},
    "/containers/{container_id}": {404},
    # As long as none is made, there is no engine to ask.
    "/streams/{stream_id}/livepos": {410, 503},
    "/streams/{stream_id}/extended-stats": {200, 503},
    "/r2/archives": {503},
    "/api/v1/r2/archives": {503},
    "/api/v1/recordings/{match_id}/r2-urls": {503},
    "/api/v1/recording/last-stop": {404},
    "/api/v1/trash/{trash_id}": {404},
    "/api/v1/trash/{trash_id}/restore": {404},
    "/api/v1/processing/jobs/{job_id}": {404},
    "/api/v1/processing/jobs/{job_id}/retry": {404},
    "/api/v1/processing/jobs/{job_id}/cancel": {404},
    "/api/v1/recordings/{match_id}/vod/{camera}/init/{file_name}": {404},
    "/api/v1/recordings/{match_id}/vod/{camera}/media/{file_name}/{sequence}.{suffix}": {404},
    "/api/v1/panorama/calibration/capture": {400},
    "/api/v1/panorama/calibration/complete": {400},
    "/api/v1/panorama/calibration/from-match": {404},
    "/api/v1/panorama/calibrations/{version}": {404},
    "/api/v1/panorama/calibrations/{version}/activate": {404},
    "/api/v1/panorama/preview/start": {503},
    "/api/v1/panorama/preview/stop": {400},
    "/api/v1/panorama/process": {400},
    "/custom-variant/templates/{slot_id}": {200, 400},  # the active one is kept
    # Made by chance, a text makes sense only by chance.
    "/custom-variant/templates/{slot_id}/import": {400},
    "/api/v1/recordings/{match_id}/clip": {200, 404, 422},
    "/api/v1/session": {200, 403, 429},
    "/api/v1/links": {422},
}


@pytest.fixture(scope="module")
def api(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Described]:
    """A server with a key, a real library and a recorder that obeys."""
    with fuzzed_system(tmp_path_factory.mktemp("fuzzed")) as system:
        yield Described(create_app(system))


@pytest.fixture(scope="module")
def reached() -> dict[Operation, set[int]]:
    """Return the statuses of earlier answers: what one request has deleted, the next one misses."""
    return defaultdict(set)


def fuzz(api: Described, operation: Operation, mode: GenerationMode, examples: int) -> set[int]:
    """The statuses of the answers to so many requests."""
    seen: set[int] = set()

    @given(case=api.operation(*operation).as_strategy(generation_mode=mode))
    @settings(
        max_examples=examples,
        deadline=None,
        derandomize=True,
        database=None,
        suppress_health_check=list(HealthCheck),
    )
    def ask(case: Any) -> None:
        seen.add(api.ask(case))

    ask()
    return seen


@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("method", "path"), operations())
def test_every_operation_keeps_to_its_documentation(
    api: Described, reached: dict[Operation, set[int]], method: str, path: str, examples: int
) -> None:
    seen = reached[method, path]
    seen |= fuzz(api, (method, path), GenerationMode.POSITIVE, examples)
    wanted = NOTHING_THERE.get(path, EXPECTED[GenerationMode.POSITIVE])
    assert seen & wanted, f"nothing but {seen}"


WRONG_INPUT = [
    ("POST", "/api/v1/recording"),
    ("DELETE", "/api/v1/recording"),
    ("GET", "/events"),
    ("POST", "/events/cleanup"),
    ("POST", "/provision/acestream"),
    ("POST", "/events/stream_started"),
    ("POST", "/engines/select"),
    ("POST", "/scale/{demand}"),
    ("POST", "/custom-variant/config"),
    ("GET", "/streams"),
    ("GET", "/streams/{stream_id}/stats"),
    ("GET", "/api/v1/logs/{log_type}"),
    ("GET", "/api/v1/log-files/{log_file}"),
    ("GET", "/api/v1/diagnostics/recording-correlations"),
]
"""The other operations take nothing but strings in their path, and no string is of a wrong type."""


@pytest.mark.parametrize("examples", [FEW, pytest.param(MANY, marks=pytest.mark.slow)])
@pytest.mark.parametrize(("method", "path"), WRONG_INPUT)
def test_wrong_input_is_refused(api: Described, method: str, path: str, examples: int) -> None:
    seen = fuzz(api, (method, path), GenerationMode.NEGATIVE, examples)
    assert seen & EXPECTED[GenerationMode.NEGATIVE], f"nothing but {seen}"
