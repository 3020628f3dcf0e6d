"""Models of signing in."""

from __future__ import annotations

from pydantic import BaseModel, Field

from touchline.web.models.base import Answer


class SignIn(BaseModel):
    """The server's API key."""

    key: str = Field(min_length=1, max_length=1024)


class SessionState(Answer):
    """Access rules of the server and rights of the client."""

    key_needed: bool = Field(
        description="Whether a key is required; false gives everybody full access."
    )
    reads_need_key: bool = Field(description="Whether reads require the key as well.")
    signed_in: bool = Field(
        description="Whether the client has full access; also true if no key is required."
    )
    version: str = Field(description="Version of the server.")
