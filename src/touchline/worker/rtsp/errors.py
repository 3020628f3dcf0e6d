"""Reasons why an RTSP session cannot begin or continue, with messages for the operator."""

from __future__ import annotations

from enum import Enum


class CameraRefusal(Enum):
    """A deliberate refusal by a camera. Retrying soon is useless and may lock the account."""

    CREDENTIALS = "credentials"
    """401 and 403: wrong user name or password, or missing permission."""
    BUSY = "busy"
    """453 and 503: the camera serves its maximum number of clients."""


class RtspError(Exception):
    """The session cannot begin or continue; the message says why.

    `refusal` is set if the camera refused, as opposed to being unreachable or faulty.
    """

    def __init__(self, message: str, *, refusal: CameraRefusal | None = None) -> None:
        super().__init__(message)
        self.refusal = refusal


class ConnectionLost(RtspError):
    """The camera closed or reset the connection."""


class NoAnswer(RtspError):
    """The camera did not answer a request in time."""


class Stopped(Exception):
    """The session is no longer needed."""
