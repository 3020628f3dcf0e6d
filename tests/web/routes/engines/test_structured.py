from __future__ import annotations

from typing import Any

import pytest
from fastapi import APIRouter, FastAPI, Request, Response
from fastapi.testclient import TestClient

from touchline.core.errors import Blocked, Failed, Invalid, NotFound, Refused
from touchline.engines import StartTimeout
from touchline.web.http.errors import install_errors
from touchline.web.routes.engines.structured import StructuredRoute, may_fail


def answered(error: Exception) -> tuple[int, Any, dict[str, str]]:
    router = APIRouter(route_class=StructuredRoute)

    @router.get("/engine")
    async def get_engine(_: Request) -> Response:
        raise error

    app = FastAPI(openapi_url=None)
    app.include_router(router)
    install_errors(app, {})
    found = TestClient(app, raise_server_exceptions=False).get("/engine")
    return found.status_code, found.json()["detail"], dict(found.headers)


@pytest.mark.parametrize(
    ("error", "status", "kind", "can_retry"),
    [
        (NotFound("no such image", code="image_not_found"), 404, "not_found", False),
        (Refused("the key was reused", code="reused"), 409, "refused", False),
        (StartTimeout("it did not start in 10 s"), 504, "provisioning_failed", True),
        (Failed("the daemon says no", code="daemon"), 500, "provisioning_failed", False),
        (Invalid("an image is required", code="image_required"), 400, "invalid_request", False),
    ],
)
def test_an_error_tells_a_proxy_what_to_do(
    error: Exception, status: int, kind: str, *, can_retry: bool
) -> None:
    found, detail, _ = answered(error)
    assert (found, detail["error"], detail["can_retry"]) == (status, kind, can_retry)
    assert detail.keys() == {
        *("error", "code", "message", "recovery_eta_seconds", "can_retry", "should_wait"),
    }


def test_what_is_blocked_says_for_how_long() -> None:
    error = Blocked("VPN not connected", code="vpn_disconnected", eta_s=59.1)
    status, detail, headers = answered(error)
    assert (status, headers["retry-after"]) == (503, "60")
    assert (detail["error"], detail["code"]) == ("provisioning_blocked", "vpn_disconnected")
    assert detail["should_wait"]


def test_an_error_without_a_code_of_its_own_is_a_general_one() -> None:
    assert answered(Failed("it ended"))[1]["code"] == "general_error"


def test_other_invalid_input_has_the_frameworks_form() -> None:
    status, detail, _ = answered(Invalid("must be a port", code="port_invalid"))
    assert (status, detail[0]["type"]) == (422, "port_invalid")


def test_both_forms_of_a_refusal_are_described() -> None:
    described = may_fail(404, 503)
    assert {str(each["model"]).count("|") for each in described.values()} == {1}
