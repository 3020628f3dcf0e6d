"""Signing in."""

from __future__ import annotations

from pydantic import BaseModel, Field

from touchline.web.models.base import Answer


class SignIn(BaseModel):
    """The server's API key."""

    key: str = Field(min_length=1, max_length=1024)


class SessionState(Answer):
    """Whether a key rules here, and whether whoever asks may do what needs it."""

    key_needed: bool = Field(description="False: everybody who reaches the server may do all.")
    reads_need_key: bool = Field(description="Nothing at all is shown without it.")
    signed_in: bool = Field(description="True as well where no key is needed.")
    version: str = Field(description="The server's.")
