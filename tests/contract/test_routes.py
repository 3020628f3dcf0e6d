"""Every route answers in its documented shape, and is counted and measured."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import TypeAdapter

from support.fakesystem import FakeSystem
from support.serving import API, client_of
from touchline import capture
from touchline.web.models import service

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/", service.ServiceInfo),
        (f"{API}/health", capture.HostHealth),
        (f"{API}/status", capture.Status),
        (f"{API}/pipeline-state", capture.PipelineState),
        (f"{API}/cameras", capture.CamerasStatus),
        (f"{API}/recording", capture.RecordingStatus),
        (f"{API}/recording-health", capture.RecordingHealth),
        (f"{API}/system-metrics", capture.SystemMetrics),
        (f"{API}/logs/health", capture.LogTail),
        (f"{API}/logs/alerts?lines=5000", capture.LogTail),
        (f"{API}/log-files", capture.LogFileList),
        (f"{API}/diagnostics/recording-correlations", capture.RecordingCorrelations),
        (f"{API}/recordings", capture.Recordings),
        (f"{API}/recordings/m1/segments", capture.Segments),
        (f"{API}/recordings/m1/processing-status", capture.ProcessingStatus),
        (f"{API}/recordings/unknown/processing-status", capture.ProcessingStatus),
    ],
)
@pytest.mark.parametrize("running", [False, True], ids=["idle", "recording"])
async def test_every_read_answers_in_its_documented_shape(
    system: FakeSystem, path: str, model: Any, *, running: bool
) -> None:
    system.capture.recorder.match_id = "m1" if running else None
    async with client_of(system) as client:
        response = await client.get(path)
    assert response.status_code == 200
    assert response.headers["content-type"] == "application/json"
    TypeAdapter(model).validate_json(response.content, strict=True)


async def test_the_root_names_this_server(system: FakeSystem) -> None:
    async with client_of(system) as client:
        body = (await client.get("/")).json()
    assert set(body) == {"service", "version", "status", "features"}
    assert (body["service"], body["status"]) == ("touchline", "running")


async def test_an_idle_status_has_exactly_the_contract_s_keys(system: FakeSystem) -> None:
    async with client_of(system) as client:
        status = (await client.get(f"{API}/status")).json()
    assert set(status) == {"recording", "preview", "last_stop"}  # the last one is ours
    assert set(status["recording"]) == {
        "recording",
        "match_id",
        "duration",
        "cameras",
        "degraded",
        "degraded_cameras",
        "camera_recovery",
        "overload_guard",
    }


async def test_every_operation_is_documented_with_a_model_or_a_media_type(
    system: FakeSystem,
) -> None:
    async with client_of(system) as client:
        schema = (await client.get("/openapi.json")).json()
    seen = set()
    for methods in schema["paths"].values():
        for operation in methods.values():
            seen.add(operation["operationId"])
            assert operation["summary"]
            assert operation["description"]
            if operation["operationId"].startswith("whep_") and "201" not in operation["responses"]:
                continue  # answered without a body, as the protocol has it
            (success,) = [a for code, a in operation["responses"].items() if code in {"200", "201"}]
            content = success["content"]
            assert content
            if list(content) == ["application/json"]:
                kinds = {"$ref", "additionalProperties", "anyOf", "items"}
                assert content["application/json"]["schema"].keys() & kinds
            for parameter in operation.get("parameters", ()):
                assert parameter["description"], (operation["operationId"], parameter["name"])
    assert len(seen) >= 24


async def test_metrics_count_requests_by_endpoint_and_method(system: FakeSystem) -> None:
    async with client_of(system) as client:
        await client.get(f"{API}/status")
        await client.post(f"{API}/recording", json={"match_id": "m1"})
        await client.get("/no/such/path")
        await client.put(f"{API}/status")
        response = await client.get("/metrics")
    assert response.headers["content-type"].startswith("text/plain")
    lines = response.text.splitlines()
    assert 'footballvision_api_requests_total{endpoint="status",method="GET"} 1.0' in lines
    assert 'footballvision_api_requests_total{endpoint="recording",method="POST"} 1.0' in lines
    assert 'http_requests_total{handler="none",method="GET",status="4xx"} 1.0' in lines
    assert "footballvision_recording_active 1.0" in lines
    assert "footballvision_preview_active 0.0" in lines
    assert "/no/such/path" not in response.text
    assert 'footballvision_api_requests_total{endpoint="status",method="PUT"}' not in response.text


async def test_bodies_are_measured_by_route(system: FakeSystem) -> None:
    async with client_of(system) as client:
        sent = await client.post(f"{API}/recording", json={"match_id": "m1"})
        status = await client.get(f"{API}/status")
        lines = (await client.get("/metrics")).text.splitlines()
    for line in (
        'http_request_size_bytes_count{handler="/api/v1/recording"} 1.0',
        f'http_request_size_bytes_sum{{handler="/api/v1/recording"}} {len(sent.request.content)}.0',
        f'http_response_size_bytes_sum{{handler="/api/v1/status"}} {len(status.content)}.0',
        "http_request_duration_highr_seconds_count 2.0",
        'http_request_duration_highr_seconds_bucket{le="60.0"} 2.0',
    ):
        assert line in lines


async def test_the_panoramas_state_has_the_calibration_at_the_top_too(system: FakeSystem) -> None:
    async with client_of(system) as client:
        told = (await client.get(f"{API}/panorama/status")).json()
    assert told["calibrated"] is False
    assert told["quality_score"] is told["calibration_date"] is None
