from __future__ import annotations

import pytest

from touchline.core.errors import Blocked, Failed, Invalid, NotFound, Refused, TouchlineError


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        (NotFound, "not_found"),
        (Refused, "refused"),
        (Blocked, "blocked"),
        (Invalid, "invalid"),
        (Failed, "failed"),
    ],
)
def test_every_error_has_a_stable_code_a_message_and_details(
    kind: type[TouchlineError], code: str
) -> None:
    error = kind("Recording final not found", match_id="final")
    assert (error.code, error.message, str(error)) == (code, error.message, error.message)
    assert error.details == {"match_id": "final"}
    assert kind("x", code="other").code == "other"
    assert isinstance(error, TouchlineError)


def test_blocked_says_when_and_whether_to_ask_again() -> None:
    assert Blocked("busy").eta_s is None
    error = Blocked("busy", eta_s=2.5, can_retry=False, should_wait=False, holder="calibration")
    assert (error.eta_s, error.can_retry, error.should_wait) == (2.5, False, False)
    assert error.details == {"holder": "calibration"}
