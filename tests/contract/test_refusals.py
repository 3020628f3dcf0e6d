"""Requests that are refused, in the contract's words and with its statuses."""

from __future__ import annotations

from typing import Any

import pytest

from support.fakerecorders import BadRecorder, NeverRecorder
from support.fakesystem import FakeSystem
from support.serving import API, client_of

pytestmark = pytest.mark.anyio

JSON = {"content-type": "application/json"}


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


@pytest.mark.parametrize(
    ("method", "path", "allow"),
    [
        ("PUT", "recording", "DELETE, GET, POST"),
        ("HEAD", "status", "GET"),
        ("HEAD", "recordings", "GET"),
        ("POST", "health", "GET"),
        ("GET", "recordings/m1", "DELETE"),
        ("POST", "recordings/m1/download", "GET, HEAD"),
        ("OPTIONS", "recording", "DELETE, GET, POST"),
        ("OPTIONS", "status", "GET"),
        ("OPTIONS", "recordings/m1", "DELETE"),
        ("OPTIONS", "recordings/m1/download", "GET, HEAD"),
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
