"""Answers to requests that were not served."""

from __future__ import annotations

from typing import Any, NotRequired

from pydantic import ConfigDict, with_config
from typing_extensions import TypedDict

_ERROR = ConfigDict(
    use_attribute_docstrings=True,
    json_schema_extra={"examples": [{"detail": "Recording match_1 not found"}]},
)


@with_config(_ERROR)
class ErrorBody(TypedDict):
    """Why the request was not served."""

    detail: str
    """Human-readable message."""
    code: NotRequired[str | None]
    """Machine-readable reason in snake_case, stable across versions, if any."""


@with_config(_ERROR)
class BlockedBody(TypedDict):
    """Why the request cannot be served now, and whether to ask again."""

    detail: str
    """Human-readable message."""
    code: NotRequired[str | None]
    """Machine-readable reason in snake_case, stable across versions, if any."""
    eta_seconds: NotRequired[float | None]
    """Estimated time until the request can succeed, if known."""
    can_retry: NotRequired[bool | None]
    """Whether the same request may succeed later."""
    should_wait: NotRequired[bool | None]
    """Whether waiting is enough, without any action."""


class InvalidItem(TypedDict):
    """A value that was refused, in the framework's format."""

    type: str
    loc: list[str | int]
    msg: str
    input: Any
