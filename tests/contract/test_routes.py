"""Every route as a client sees it: its answer, its refusals, and the contract's conventions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import anyio
import pytest
from pydantic import SecretStr, TypeAdapter

from support.fakelibrary import FakeArchive
from support.fakesystem import BadRecorder, FakeSystem, NeverRecorder, SlowRecorder
from support.serving import client_of
from touchline.capture.library.library import Library
from touchline.capture.processing.cloud import Cloud
from touchline.capture.settings.upload import UploadSettings
from touchline.web.models import state
from touchline.web.models.capture import diagnostics, library, recording

pytestmark = pytest.mark.anyio

API = "/api/v1"
JSON = {"content-type": "application/json"}
DEADLINE_S = 5.0


@pytest.fixture
def system(tmp_path: Path) -> FakeSystem:
    segments = tmp_path / "recordings" / "m1" / "segments"
    segments.mkdir(parents=True)
    (segments / "cam0_20260211_220241_00.mp4").write_bytes(b"0123456789")
    (segments.parent / "notes.json").write_bytes(b"{}")
    made = FakeSystem.make(tmp_path)
    made.capture.library.archives["m1"] = FakeArchive("m1.zip", (b"PK", b"rest"))
    return made


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/", state.ServiceInfo),
        (f"{API}/health", state.HostHealth),
        (f"{API}/status", state.Status),
        (f"{API}/pipeline-state", state.PipelineState),
        (f"{API}/cameras", state.CamerasStatus),
        (f"{API}/recording", recording.RecordingStatus),
        (f"{API}/recording-health", recording.RecordingHealth),
        (f"{API}/system-metrics", diagnostics.SystemMetrics),
        (f"{API}/logs/health", diagnostics.LogTail),
        (f"{API}/logs/alerts?lines=5000", diagnostics.LogTail),
        (f"{API}/diagnostics/recording-correlations", diagnostics.RecordingCorrelations),
        (f"{API}/recordings", library.Recordings),
        (f"{API}/recordings/m1/segments", library.Segments),
        (f"{API}/recordings/m1/processing-status", library.ProcessingStatus),
        (f"{API}/recordings/unknown/processing-status", library.ProcessingStatus),
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
    assert set(status) == {"recording", "preview"}
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


async def test_a_match_is_started_refused_protected_and_stopped(system: FakeSystem) -> None:
    async with client_of(system) as client:
        idle = await client.delete(f"{API}/recording")
        assert idle.json() == {"success": False, "message": "Not currently recording"}

        started = await client.post(f"{API}/recording", json={"match_id": "m1"})
        assert (started.status_code, started.json()["success"]) == (200, True)
        recording.StartReport.model_validate_json(started.content, strict=True)

        again = await client.post(f"{API}/recording", json={"match_id": "m2"})
        assert again.status_code == 200
        assert again.json() == {"success": False, "message": "Already recording match: m1"}

        protected = (await client.delete(f"{API}/recording")).json()
        assert (protected["success"], protected["protected"]) == (False, True)

        stopped = await client.delete(f"{API}/recording", params={"force": "true"})
        assert stopped.json()["message"] == "Recording stopped successfully"
        recording.StopReport.model_validate_json(stopped.content, strict=True)


@pytest.mark.parametrize("word", ["true", "1", "yes", "on", "True", "ON"])
async def test_every_word_for_true_forces(system: FakeSystem, word: str) -> None:
    system.capture.recorder.match_id = "m1"
    async with client_of(system) as client:
        response = await client.delete(f"{API}/recording?force={word}")
    assert response.json()["success"] is True


@pytest.mark.parametrize("word", ["false", "0", "no", "off"])
async def test_every_word_for_false_does_not_force(system: FakeSystem, word: str) -> None:
    system.capture.recorder.match_id = "m1"
    async with client_of(system) as client:
        response = await client.delete(f"{API}/recording?force={word}")
    assert response.json()["protected"] is True


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"match_id": None, "force": None, "process_after_recording": None},
        {"match_id": ""},
        {"match_id": "m9", "nobody": {"knows": ["this"]}},
    ],
    ids=["empty", "nulls", "empty id", "unknown field"],
)
async def test_optional_fields_may_be_missing_null_or_unknown(
    system: FakeSystem, body: dict[str, Any]
) -> None:
    async with client_of(system) as client:
        response = await client.post(f"{API}/recording", json=body)
    assert response.json()["success"] is True
    expected = body.get("match_id") or "match_"
    assert response.json()["match_id"].startswith(expected)


@pytest.mark.parametrize(
    ("path", "body", "meant"),
    [
        ("/api/v1/recording", {"match_di": "final"}, "match_id"),
        ("/api/v1/recording", {"Match_ID": "final", "forc": True}, "force"),
        ("/api/v1/preview", {"camera": 0}, "camera_id"),
        ("/api/v1/preview", {"transprot": "hls"}, "transport"),
        ("/api/v1/preview/restart", {"camera_di": 0}, "camera_id"),
    ],
)
async def test_a_misspelt_field_is_named_with_the_one_that_was_meant(
    system: FakeSystem, path: str, body: dict[str, Any], meant: str
) -> None:
    async with client_of(system) as client:
        answer = (await client.post(path, json=body)).json()
    assert answer["success"] is True
    assert len(answer["warnings"]) == len(body)
    assert all(repr(name) in " ".join(answer["warnings"]) for name in body)
    assert f"did you mean {meant!r}?" in answer["warnings"][-1]


@pytest.mark.parametrize(
    ("content", "error_type", "location"),
    [
        (b"", "missing", ["body"]),
        (b"{", "json_invalid", ["body", 1]),
        (b"[]", "model_attributes_type", ["body"]),
        (b'{"match_id": 5}', "string_type", ["body", "match_id"]),
        (b'{"match_id": NaN}', "string_type", ["body", "match_id"]),
        (b'{"match_id": 1e999}', "string_type", ["body", "match_id"]),
        (b'{"force": "maybe"}', "bool_parsing", ["body", "force"]),
        (b'{"match_id": "m1/../m2"}', "match_id_character", ["body", "match_id"]),
        (b'{"force": "\\ud800"}', "string_unicode", ["body", "force"]),
    ],
)
async def test_a_wrong_body_is_422_with_the_place_of_the_fault(
    system: FakeSystem, content: bytes, error_type: str, location: list[Any]
) -> None:
    async with client_of(system) as client:
        response = await client.post(f"{API}/recording", content=content, headers=JSON)
    assert response.status_code == 422
    (item,) = response.json()["detail"]
    assert (item["type"], item["loc"]) == (error_type, location)
    assert {"type", "loc", "msg", "input"} <= set(item)
    assert system.capture.recorder.match_id is None


async def test_a_wrong_query_is_422(system: FakeSystem) -> None:
    async with client_of(system) as client:
        response = await client.delete(f"{API}/recording?force=maybe")
    assert response.status_code == 422
    assert response.json()["detail"][0]["type"] == "bool_parsing"


@pytest.mark.parametrize("announced", [True, False], ids=["announced", "streamed"])
async def test_a_body_larger_than_any_use_is_413(system: FakeSystem, *, announced: bool) -> None:
    async def stream() -> Any:
        for _ in range(70):
            yield b"x" * 1024

    content: Any = b"x" * 70 * 1024 if announced else stream()
    async with client_of(system) as client:
        response = await client.post(f"{API}/recording", content=content, headers=JSON)
    assert response.status_code == 413
    assert response.json() == {"detail": "Request body too large", "code": "body_too_large"}


@pytest.mark.parametrize(
    ("method", "path", "detail"),
    [
        ("GET", "recordings/none/segments", "Recording none not found"),
        ("DELETE", "recordings/none", "Recording none not found"),
        ("POST", "recordings/none/verify", "Recording none not found"),
        ("GET", "recordings/none/download", "Recording none not found"),
        ("GET", "recordings/m1/segments/none.mp4", "Segment not found"),
        ("GET", "recordings/m1/files/none.json", "Recording file not found"),
        ("GET", "nothing", "Not Found"),
    ],
)
async def test_what_does_not_exist_is_404_in_the_contract_s_words(
    system: FakeSystem, method: str, path: str, detail: str
) -> None:
    async with client_of(system) as client:
        response = await client.request(method, f"{API}/{path}")
    assert (response.status_code, response.json()["detail"]) == (404, detail)


async def test_a_match_is_deleted_unless_it_is_running(system: FakeSystem) -> None:
    system.capture.library.running = "m1"
    async with client_of(system) as client:
        refused = await client.delete(f"{API}/recordings/m1")
        system.capture.library.running = None
        deleted = await client.delete(f"{API}/recordings/m1")
    assert refused.status_code == 409
    assert "m1" in refused.json()["detail"]
    library.Deleted.model_validate_json(deleted.content, strict=True)


async def test_a_match_is_protected(system: FakeSystem) -> None:
    async with client_of(system) as client:
        response = await client.put(f"{API}/recordings/m1/protection", json={"protected": True})
        missing = await client.put(f"{API}/recordings/none/protection", json={"protected": True})
        nothing = await client.put(f"{API}/recordings/m1/protection", json={})
    answer = library.Protection.model_validate_json(response.content, strict=True)
    assert (answer.match_id, answer.protected) == ("m1", True)
    assert (missing.status_code, nothing.status_code) == (404, 422)


async def test_a_match_is_verified_on_demand(system: FakeSystem) -> None:
    async with client_of(system) as client:
        response = await client.post(f"{API}/recordings/m1/verify")
    report = library.Verification.model_validate_json(response.content, strict=True)
    assert (report.match_id, report.ok) == ("m1", True)


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "recording", "DELETE, GET, POST"),
        ("HEAD", "status", "GET"),
        ("HEAD", "recordings", "GET"),
        ("POST", "health", "GET"),
        ("GET", "recordings/m1", "DELETE"),
        ("POST", "recordings/m1/download", "GET, HEAD"),
    ],
)
async def test_a_wrong_method_is_405_with_every_right_one(
    system: FakeSystem, method: str, path: str, allow: str
) -> None:
    async with client_of(system) as client:
        response = await client.request(method, f"{API}/{path}")
    assert (response.status_code, response.headers["allow"]) == (405, allow)
    if method != "HEAD":
        assert response.json() == {"detail": "Method Not Allowed"}


@pytest.mark.parametrize("path", ["health", "recording", "recordings", "recordings/m1/segments"])
async def test_a_trailing_slash_is_redirected_to_the_path_without_it(
    system: FakeSystem, path: str
) -> None:
    async with client_of(system) as client:
        response = await client.get(f"{API}/{path}/")
    assert response.status_code == 307
    assert response.headers["location"].endswith(f"{API}/{path}")


async def test_cameras_that_cannot_be_had_are_503_and_say_when_to_ask_again(
    system: FakeSystem,
) -> None:
    system.capture.recorder = NeverRecorder()
    async with client_of(system) as client:
        response = await client.post(f"{API}/recording", json={})
    assert (response.status_code, response.headers["retry-after"]) == (503, "2")
    body = response.json()
    assert body["detail"] == "Could not acquire camera resources for recording"
    assert (body["code"], body["can_retry"], body["should_wait"]) == ("cameras_busy", True, True)


async def test_an_unexpected_error_is_told_by_an_id_that_the_log_has(
    system: FakeSystem, caplog: pytest.LogCaptureFixture
) -> None:
    system.capture.recorder = BadRecorder()
    async with client_of(system) as client:
        response = await client.get(f"{API}/status")
    assert response.status_code == 500
    assert BadRecorder.SECRET not in response.text
    error_id = response.json()["detail"].rsplit(" ", 1)[1]
    assert f"Internal error {error_id}" in caplog.text
    assert BadRecorder.SECRET in caplog.text


async def test_an_expected_failure_is_500_in_its_own_words(system: FakeSystem) -> None:
    system.capture.recorder = BadRecorder()
    async with client_of(system) as client:
        response = await client.delete(f"{API}/recording?force=true")
    assert response.status_code == 500
    assert response.json() == {
        "detail": "The recordings folder cannot be written",
        "code": "storage_failed",
    }


async def test_status_and_health_answer_while_a_stop_hangs(system: FakeSystem) -> None:
    slow = SlowRecorder()
    slow.match_id = "m1"
    system.capture.recorder = slow
    async with client_of(system) as client, anyio.create_task_group() as tasks:
        tasks.start_soon(client.delete, f"{API}/recording?force=true")
        with anyio.fail_after(DEADLINE_S):
            await slow.stopping.wait()
            for path in ("status", "recording", "health", "recording-health", "pipeline-state"):
                assert (await client.get(f"{API}/{path}")).status_code == 200
        assert slow.match_id == "m1"
        slow.may_end.set()
    assert slow.match_id is None


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


async def test_the_end_of_a_log_is_given_in_its_lines(system: FakeSystem) -> None:
    folder = system.settings.data_dir / "logs"
    folder.mkdir()
    (folder / "watchdog.log").write_text("one\ntwo\nthree\n")
    async with client_of(system) as client:
        response = await client.get(f"{API}/logs/watchdog?lines=2")
        missing = await client.get(f"{API}/logs/alerts")
    assert response.json() == {"log_type": "watchdog", "lines": ["two", "three"], "total_lines": 2}
    assert missing.json() == {
        "log_type": "alerts",
        "lines": [],
        "message": "Log file does not exist yet",
    }


async def test_an_unknown_log_is_400_in_the_contract_s_words(system: FakeSystem) -> None:
    async with client_of(system) as client:
        response = await client.get(f"{API}/logs/error")
    assert response.status_code == 400
    assert response.json() == {"detail": "Unknown log type. Available: health, alerts, watchdog"}


@pytest.mark.parametrize("lines", ["0", "-1", "5001", "many", "1.5"])
async def test_a_count_of_lines_out_of_bounds_is_422(system: FakeSystem, lines: str) -> None:
    async with client_of(system) as client:
        response = await client.get(f"{API}/logs/health?lines={lines}")
    assert response.status_code == 422
    assert response.json()["detail"][0]["loc"] == ["query", "lines"]


async def test_parameters_of_correlations_are_clamped_and_only_non_integers_refused(
    system: FakeSystem,
) -> None:
    path = f"{API}/diagnostics/recording-correlations"
    async with client_of(system) as client:
        low = await client.get(f"{path}?lookback_minutes=-5&max_lines=0")
        high = await client.get(f"{path}?max_lines=99999999&correlation_window_seconds=999999")
        refused = await client.get(f"{path}?lookback_minutes=soon")
    assert (low.json()["lookback_minutes"], low.json()["max_lines_scanned"]) == (1, 200)
    assert high.json()["max_lines_scanned"] == 50_000
    assert high.json()["correlation_window_seconds"] == 3600
    assert refused.status_code == 422


async def test_uploaded_files_are_listed_or_no_storage_is_said_to_be_configured(
    system: FakeSystem, tmp_path: Path
) -> None:
    library = Library(tmp_path / "recordings", is_running=lambda _: False)
    system.capture.cloud = Cloud(UploadSettings(), library)
    paths = ("/r2/archives", f"{API}/r2/archives", f"{API}/recordings/m1/r2-urls")
    async with client_of(system) as client:
        for path in paths:
            refused = await client.get(path)
            assert (refused.status_code, refused.json()["code"]) == (503, "no_storage")
            assert refused.json()["can_retry"] is False
        key = SecretStr("s")
        settings = UploadSettings(bucket="matches", access_key_id="k", secret_access_key=key)
        system.capture.cloud = Cloud(settings, library)
        for path in paths[:2]:
            told = (await client.get(path)).json()
            assert (told["success"], told["matches"]) == (True, [])
        told = (await client.get(paths[2])).json()
        assert (told["match_id"], told["files"]) == ("m1", [])
        assert (await client.get(f"{API}/recordings/unknown/r2-urls")).status_code == 404


async def test_the_panoramas_state_has_the_calibration_at_the_top_too(system: FakeSystem) -> None:
    async with client_of(system) as client:
        told = (await client.get(f"{API}/panorama/status")).json()
    assert told["calibrated"] is False
    assert told["quality_score"] is told["calibration_date"] is None
