"""Models of signing in."""

from __future__ import annotations

from pydantic import BaseModel, Field, with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER


class SignIn(BaseModel):
    """The server's API key."""

    key: str = Field(min_length=1, max_length=1024)


@with_config(ANSWER)
class SessionState(TypedDict):
    """Access rules of the server and rights of the client."""

    key_needed: bool
    """Whether a key is required; without one, everyone has full access."""
    reads_need_key: bool
    """Whether reads require the key as well."""
    signed_in: bool
    """Whether the client has full access; also true if no key is required."""
    version: str
    """Version of the server."""
