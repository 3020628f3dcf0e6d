from __future__ import annotations

import json
import logging
from typing import Any

import pytest
from fastapi import FastAPI, Request, Response
from fastapi.testclient import TestClient
from starlette.exceptions import HTTPException

from touchline.core.errors import Blocked, Failed, Invalid, NotFound, Refused
from touchline.web.http.errors import (
    STATUS_BY_CODE,
    CodedError,
    LastResort,
    Unauthorized,
    install_errors,
    may_answer,
    refusal,
)


def client(error: Exception) -> TestClient:
    """An application whose only route fails."""
    app = FastAPI(openapi_url=None)
    install_errors(app, {"/thing": {"GET", "PUT"}})
    app.add_middleware(LastResort)

    @app.get("/thing")
    async def get_thing(_: Request) -> Response:
        raise error

    @app.get("/number")
    async def get_number(n: int) -> int:
        return n

    return TestClient(app, raise_server_exceptions=False)


def answered(error: Exception) -> tuple[int, dict[str, Any], dict[str, str]]:
    found = client(error).get("/thing")
    return found.status_code, found.json(), dict(found.headers)


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (NotFound("no such match", code="match_not_found"), 404),
        (Refused("it is running", code="match_running"), 409),
        (Failed("the disk is gone", code="disk_gone"), 500),
        (Refused("not calibrated", code="not_calibrated"), STATUS_BY_CODE["not_calibrated"]),
        (NotFound("it has ended", code="session_gone"), 410),
    ],
)
def test_an_error_has_the_status_of_its_class_unless_its_code_has_another(
    error: Exception, status: int
) -> None:
    found, body, _ = answered(error)
    assert found == status
    assert body == {"detail": str(error), "code": error.code}  # type: ignore[attr-defined]


def test_what_is_only_blocked_says_when_to_ask_again() -> None:
    error = Blocked("cameras are in use", code="cameras_busy", eta_s=2.1, can_retry=True)
    status, body, headers = answered(error)
    assert (status, headers["retry-after"]) == (503, "3")
    assert (body["eta_seconds"], body["can_retry"], body["should_wait"]) == (2.1, True, True)
    _, body, headers = answered(Blocked("no room", code="full"))
    assert (body["eta_seconds"], "retry-after" in headers) == (None, False)


def test_advice_follows_the_message() -> None:
    error = Blocked("The disk is full.", code="disk_low", advice="Delete a match.")
    assert answered(error)[1]["detail"] == "The disk is full. Delete a match."


def test_a_value_that_the_core_refuses_looks_like_one_that_the_framework_refuses() -> None:
    error = Invalid("must be even", code="odd", loc=("body", "width"), input=float("nan"))
    status, body, _ = answered(error)
    assert status == 422
    (item,) = body["detail"]
    assert (item["type"], item["loc"], item["msg"]) == ("odd", ["body", "width"], "must be even")
    (theirs,) = client(error).get("/number?n=x").json()["detail"]
    assert theirs.keys() >= item.keys()


def test_a_wrong_method_is_answered_with_all_right_ones() -> None:
    found = client(NotFound("x")).delete("/thing")
    assert (found.status_code, found.headers["allow"]) == (405, "GET, PUT")


def test_an_unexpected_error_is_an_id_that_the_log_has(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.ERROR)
    status, body, _ = answered(KeyError("s3cret"))
    assert (status, body["code"]) == (500, "internal_error")
    assert "s3cret" not in json.dumps(body)
    error_id = body["detail"].rpartition(" ")[2]
    assert error_id in caplog.text
    assert "s3cret" in caplog.text


def test_an_answer_that_has_begun_is_broken_off() -> None:
    async def begun(scope: Any, receive: Any, send: Any) -> None:
        del scope, receive
        await send({"type": "http.response.start", "status": 200, "headers": []})
        raise KeyError("x")

    with pytest.raises(KeyError):
        TestClient(LastResort(begun)).get("/")


def test_each_challenge_is_a_field_of_its_own() -> None:
    error = Unauthorized(401, "A key is required", code="no_key", challenges=("Bearer", "Basic"))
    response = refusal(error)
    assert response.headers.getlist("www-authenticate") == ["Bearer", "Basic"]
    assert json.loads(bytes(response.body)) == {"detail": "A key is required", "code": "no_key"}


def test_a_code_is_only_there_where_it_is_known() -> None:
    assert answered(CodedError(413, "too large", code="body_too_large"))[1]["code"] == (
        "body_too_large"
    )
    assert answered(HTTPException(413, "too large"))[1] == {"detail": "too large"}


def test_statuses_are_described_with_their_bodies() -> None:
    described = may_answer(404, 503)
    assert set(described) == {404, 503}
    assert described[404]["model"] is not described[503]["model"]
