"""What can go wrong between a client and its server."""

from __future__ import annotations

from typing import Any


class ClientError(Exception):
    """Every error that this client raises."""


class Unreachable(ClientError):
    """There is no server at the address, or the connection to it broke."""


class Rejected(ClientError):
    """The server answered, and the answer is no. `detail` has its words."""

    def __init__(self, status: int, detail: Any, code: str | None = None) -> None:
        super().__init__(f"{status}: {detail}")
        self.status = status
        self.detail = detail
        self.code = code


class CommandFailed(ClientError):
    """The server could not carry the command out; the message has its words."""


class Unanswered(ClientError):
    """No result came in time. The command may have been carried out, or may be yet."""
