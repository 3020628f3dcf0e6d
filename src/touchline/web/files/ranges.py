"""Byte ranges of requests: RFC 9110, sections 13 and 14, without any I/O."""

from __future__ import annotations

import os
from dataclasses import dataclass
from email.utils import formatdate, parsedate_to_datetime
from itertools import pairwise

MAX_RANGES = 32
"""No player requests more parts; the whole file is a valid response to more."""


@dataclass(frozen=True)
class ByteRange:
    """The bytes from `start` up to, but excluding, `end`."""

    start: int
    end: int

    @property
    def size_bytes(self) -> int:
        """Number of bytes in the span."""
        return self.end - self.start


class Unsatisfiable(Exception):
    """None of the ranges lies within the file."""


@dataclass(frozen=True)
class Validators:
    """Identification of one version of a file."""

    etag: str
    modified_s: int

    @classmethod
    def of(cls, status: os.stat_result) -> Validators:
        """Return the validators of a file as it was when it was opened."""
        etag = f'"{status.st_mtime_ns:x}-{status.st_size:x}-{status.st_ino:x}"'
        return cls(etag, int(status.st_mtime))

    @property
    def last_modified(self) -> str:
        """The time of the last change in the HTTP format."""
        return formatdate(self.modified_s, usegmt=True)

    def unchanged(self, if_none_match: str | None, if_modified_since: str | None) -> bool:
        """Return whether the client's copy is current, so that 304 is sufficient."""
        if if_none_match is not None:
            known = entity_tags(if_none_match)
            return "*" in known or self.etag in known
        since_s = _http_date_s(if_modified_since)
        return since_s is not None and self.modified_s <= since_s

    def same_as(self, if_range: str | None) -> bool:
        """Return whether parts of this file may be combined with parts the client has."""
        return if_range is None or if_range.strip() in (self.etag, self.last_modified)


def entity_tags(if_none_match: str | None) -> list[str]:
    """Return the tags of an If-None-Match header, weak ones as strong ones (RFC 9110, 13.1.2)."""
    if if_none_match is None:
        return []
    return [tag.strip().removeprefix("W/") for tag in if_none_match.split(",")]


def _http_date_s(text: str | None) -> float | None:
    if text is None:
        return None
    try:
        return parsedate_to_datetime(text).timestamp()
    except (ValueError, OverflowError):
        return None


def parse_range(header: str | None, size_bytes: int) -> tuple[ByteRange, ...] | None:
    """Return the requested spans in the client's order; None means the whole file.

    A header that is not a valid `bytes` range must be ignored, so it means the whole file too.
    Raises Unsatisfiable if it is valid and no byte of it exists.
    """
    if header is None:
        return None
    unit, equals, ranges = header.partition("=")
    if not equals or unit.strip().lower() != "bytes":
        return None
    parts = [part.strip() for part in ranges.split(",") if part.strip()]
    if not 1 <= len(parts) <= MAX_RANGES:
        return None
    spans: list[ByteRange] = []
    for part in parts:
        first, dash, last = (piece.strip() for piece in part.partition("-"))
        if not dash or not _is_number(first, last):
            return None
        if first and last and int(last) < int(first):
            return None
        start = int(first) if first else max(size_bytes - int(last), 0)
        end = min(int(last) + 1, size_bytes) if first and last else size_bytes
        if start < end:
            spans.append(ByteRange(start, end))
    if not spans:
        raise Unsatisfiable
    return _merge_spans(spans)


def _merge_spans(spans: list[ByteRange]) -> tuple[ByteRange, ...]:
    """Merge overlapping spans: a small request must not get the same bytes many times."""
    ordered = sorted(spans, key=lambda span: span.start)
    if all(after.start >= before.end for before, after in pairwise(ordered)):
        return tuple(spans)
    merged = [ordered[0]]
    for span in ordered[1:]:
        if span.start <= merged[-1].end:
            merged[-1] = ByteRange(merged[-1].start, max(merged[-1].end, span.end))
        else:
            merged.append(span)
    return tuple(merged)


def _is_number(first: str, last: str) -> bool:
    """Return whether each given side has at most 18 ASCII digits; int() accepts other scripts."""
    sides = [side for side in (first, last) if side]
    return bool(sides) and all(
        side.isascii() and side.isdigit() and len(side) <= 18 for side in sides
    )
