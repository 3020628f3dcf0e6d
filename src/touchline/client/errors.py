"""Errors of the client."""

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """Base class of all errors raised by the client."""


class Unreachable(ClientError):
    """No server at the address, or the connection to it was lost."""


class Rejected(ClientError):
    """The server refused the request. `detail` is its message."""

    def __init__(self, status: int, detail: Any, code: str | None = None) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.code = code


class CommandFailed(ClientError):
    """The server could not carry out the command; the message is the server's.

    `code` is the reason for programs; None from a server before 0.2.
    """

    def __init__(self, message: str, code: str | None = None) -> None:
        super().__init__(message)
        self.code = code


class Unanswered(ClientError):
    """No result arrived in time. The command may have been carried out, or may still be."""
