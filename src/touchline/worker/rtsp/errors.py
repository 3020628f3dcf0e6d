"""Why an RTSP session cannot begin or go on, in words for the operator."""

from __future__ import annotations

from enum import Enum


class Refusal(Enum):
    """A camera's considered no. Asking again soon changes nothing and may lock the account."""

    CREDENTIALS = "credentials"
    """401 and 403: the user name and password, or what the user may do."""
    BUSY = "busy"
    """453 and 503: the camera serves as many viewers as it can."""


class RtspError(Exception):
    """The session cannot begin or go on; the message says why.

    `refusal` is set where the camera refused, as opposed to being unreachable or out of order.
    """

    def __init__(self, message: str, *, refusal: Refusal | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal


class ConnectionLost(RtspError):
    """The camera closed or reset the connection."""


class NoAnswer(RtspError):
    """The camera did not answer a request in time."""


class Stopped(Exception):
    """The session is no longer wanted."""
