"""Storage of a match's details as `details.json`, replaced whole or not at all.

They are apart from the manifest, which belongs to the recorder during a match and is missing from
matches of other programs. Blocks: call it in a thread.
"""

from __future__ import annotations

import re
from contextlib import suppress
from datetime import date, datetime
from pathlib import Path
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, ValidationError, with_config
from pydantic.json_schema import WithJsonSchema
from typing_extensions import TypedDict

from touchline.capture.library.wholefile import write_whole
from touchline.core.answers import example
from touchline.core.errors import Failed, Refused
from touchline.foreign.files import read_bytes
from touchline.foreign.text import one_line, paragraphs

FILE_NAME = "details.json"
FORMAT_VERSION = 1
MOST_BYTES = 64 << 10

_DAY = re.compile(r"\d{4}-\d{2}-\d{2}", re.ASCII)
_INSTANT = re.compile(
    r"\d{4}-\d{2}-\d{2}[Tt ]\d{2}:\d{2}(:\d{2}([.]\d{1,6})?)?([Zz]|[+-]\d{2}:\d{2})?", re.ASCII
)


def _iso_date(text: str) -> str:
    text = text.strip()
    try:
        if _DAY.fullmatch(text):
            date.fromisoformat(text)
            return text
        if _INSTANT.fullmatch(text):
            datetime.fromisoformat(text.upper())
            return text
    except ValueError as error:
        raise ValueError(f"must be a date that exists: {error}") from None
    raise ValueError("must be a date such as 2026-11-29, or a time such as 2026-11-29T15:00:00Z")


def _none_if_empty(text: str | None) -> str | None:
    return text or None


Name = Annotated[
    Annotated[str, Field(max_length=120), AfterValidator(one_line)] | None,
    AfterValidator(_none_if_empty),
]
"""Name in one line; an empty one is none."""

Note = Annotated[
    Annotated[str, Field(max_length=2000), AfterValidator(paragraphs)] | None,
    AfterValidator(_none_if_empty),
]
"""Text of several lines; an empty one is none."""

Day = (
    Annotated[
        str,
        Field(max_length=40),
        AfterValidator(_iso_date),
        WithJsonSchema(
            {
                "anyOf": [
                    {"type": "string", "format": "date"},
                    {"type": "string", "format": "date-time", "maxLength": 40},
                ]
            }
        ),
    ]
    | None
)
"""Date, or date and time, by ISO 8601."""


@with_config(
    example(
        {
            "home": "SV Süd",
            "away": "FC Nord",
            "competition": "District league",
            "venue": "Pitch 2",
            "date": "2026-11-29",
            "note": None,
        }
    )
)
class MatchDetails(TypedDict):
    """What people know of a match. Unknown fields are null."""

    home: str | None
    """Home team."""
    away: str | None
    """Away team."""
    competition: str | None
    """Competition, or the occasion."""
    venue: str | None
    """Place of the match."""
    date: str | None
    """Date by ISO 8601, with or without a time."""
    note: str | None
    """Remarks, possibly in several lines."""


class Details(BaseModel):
    """Details of a match, checked and bounded."""

    model_config = ConfigDict(frozen=True, extra="ignore")

    home: Name = None
    away: Name = None
    competition: Name = None
    venue: Name = None
    date: Day = None
    note: Note = None

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known."""
        return self == Details()

    def to_json(self) -> MatchDetails:
        """Return the details as the API has them."""
        return {
            "home": self.home,
            "away": self.away,
            "competition": self.competition,
            "venue": self.venue,
            "date": self.date,
            "note": self.note,
        }


class _File(BaseModel):
    format_version: int = FORMAT_VERSION
    details: Details = Details()


class _Version(BaseModel):
    format_version: int


def load(folder: Path) -> Details | None:
    """Return the details of a match, or None if none were entered.

    Raises Failed for a damaged file, Refused for one of a newer touchline, and OSError.
    """
    try:
        content = read_bytes(folder / FILE_NAME, most_bytes=MOST_BYTES)
    except FileNotFoundError:
        return None
    _refuse_newer(content)
    try:
        return _File.model_validate_json(content).details
    except ValidationError as error:
        raise Failed(
            f"{FILE_NAME} of {folder.name} cannot be read. Save the details again to replace it",
            code="details_damaged",
        ) from error


def save(folder: Path, details: Details) -> None:
    """Replace the details on disk.

    After a power cut either the old or the new ones are there, whole. Raises Refused where a newer
    touchline wrote the old ones, and OSError.
    """
    with suppress(OSError):  # there is none, or something else, which is replaced
        _refuse_newer(read_bytes(folder / FILE_NAME, most_bytes=MOST_BYTES))
    content = _File(details=details).model_dump_json(indent=1).encode()
    write_whole(folder / FILE_NAME, content)


def _refuse_newer(content: bytes) -> None:
    try:
        version = _Version.model_validate_json(content).format_version
    except ValidationError:
        return
    if version > FORMAT_VERSION:
        raise Refused(
            f"{FILE_NAME} has format version {version}; this touchline reads up to"
            f" {FORMAT_VERSION}",
            code="details_too_new",
        )
