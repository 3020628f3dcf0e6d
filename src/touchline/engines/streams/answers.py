"""Answers about the content of streams."""

from __future__ import annotations

from typing import NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER


@with_config(ANSWER)
class StreamDetails(TypedDict):
    """Content details as reported by the engine; unknown fields are omitted."""


@with_config(ANSWER)
class LivePosition(TypedDict):
    """Live position of a stream."""

    has_livepos: bool
    is_live: bool
    livepos: NotRequired[dict[str, object] | None]
    """Keys: pos, live_first, live_last, first_ts, last_ts, buffer_pieces."""
