"""Parts of answers that follow from the settings."""

from __future__ import annotations

from typing import NotRequired

from typing_extensions import TypedDict


class IceServer(TypedDict):
    """STUN or TURN server, in the form that browsers take."""

    urls: list[str]
    username: NotRequired[str]
    credential: NotRequired[str]
