"""Models of streams: reports from clients, and their answers."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import (
    AfterValidator,
    AnyHttpUrl,
    BaseModel,
    Field,
    with_config,
)
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER
from touchline.engines import StreamState
from touchline.web.models.base import Flag, Port, SchemaKeywords, mapping


def _printable(text: str) -> str:
    if any(character < " " or "\x7f" <= character <= "\x9f" for character in text):
        raise ValueError("must not contain control characters")
    if any("\ud800" <= character <= "\udfff" for character in text):
        raise ValueError("must be valid Unicode text")
    return text


PRINTABLE = r"^[^\x00-\x1f\x7f-\x9f]*$"
HOST = r"^[A-Za-z0-9._:-]{1,253}$"
LABEL = {"type": "string", "maxLength": 4096, "pattern": PRINTABLE}

Printable = Annotated[str, AfterValidator(_printable), SchemaKeywords({"pattern": PRINTABLE})]
ShortText = Annotated[Printable, Field(max_length=256)]
LongText = Annotated[Printable, Field(min_length=1, max_length=2048)]
Url = Annotated[AnyHttpUrl, Field(max_length=2048)]
Labels = Annotated[
    dict[ShortText, Annotated[Printable, Field(max_length=4096)]],
    Field(max_length=64),
    mapping({"maxLength": 256, "pattern": PRINTABLE}, LABEL, most=64),
]


class ReportedEngine(BaseModel):
    """Address at which the client reached the engine."""

    host: Annotated[
        ShortText, Field(min_length=1), SchemaKeywords({"pattern": HOST, "maxLength": 253})
    ]
    port: Port


class ReportedContent(BaseModel):
    """Content that is played."""

    key_type: Literal["content_id", "infohash", "url", "magnet"]
    key: LongText


class ReportedSession(BaseModel):
    """Playback session of the engine."""

    playback_session_id: Annotated[Printable, Field(max_length=2048)]
    stat_url: Url = Field(description="URL; must point at the engine.")
    command_url: Url = Field(description="URL; must point at the engine.")
    is_live: Flag


class StreamStartedReport(BaseModel):
    """Report of a stream that a client has started."""

    container_id: ShortText | None = None
    engine: ReportedEngine
    stream: ReportedContent
    session: ReportedSession
    labels: Labels = Field(
        default_factory=dict,
        description="Labels. `stream_id` sets the id of the stream, which is otherwise derived from"
        " key and session.",
    )


class StreamEndedReport(BaseModel):
    """Report of an ended stream: by id or, without one, the newest stream of a container."""

    container_id: ShortText | None = None
    stream_id: ShortText | None = None
    reason: Annotated[Printable, Field(max_length=2048)] | None = None


@with_config(ANSWER)
class StreamEndedReply(TypedDict):
    """Result of ending a stream."""

    updated: bool
    stream: StreamState | None
