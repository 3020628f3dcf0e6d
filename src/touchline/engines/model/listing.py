"""JSON arrays of many, kept encoded piece by piece: a read costs what has changed since."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from touchline.foreign.text import json_bytes


@dataclass(frozen=True, slots=True)
class Body:
    """An answer that stands already, and the version it belongs to: equal ones are equal bytes."""

    version: int
    content: bytes


class Listing:
    """Pieces by key, in the order of `sort_key`; `render` makes a piece when it is asked for.

    It belongs to the event loop.
    """

    def __init__(
        self,
        render: Callable[[str], Any],
        sort_key: Callable[[str], Any],
        *,
        is_hidden: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """What `is_hidden` is left out of the body, and is there for all else."""
        self.version = 0
        """Grows with every change."""
        self._render = render
        self._sort_key = sort_key
        self._is_hidden = is_hidden
        self._pieces: dict[str, bytes | None] = {}
        self._order: list[str] | None = []
        self._body: Body | None = None

    def __contains__(self, key: str) -> bool:
        return key in self._pieces

    def put(self, key: str, *, moved: bool = False) -> None:
        """This one is new or is to be rendered again; `moved`: its place may be another."""
        if moved or key not in self._pieces:
            self._order = None
        self._pieces[key] = None
        self._touch()

    def remove(self, key: str) -> None:
        """This one is gone."""
        if self._pieces.pop(key, _ABSENT) is not _ABSENT:
            self._order = None
            self._touch()

    def body(self) -> Body:
        """All of them; encoded once, however often it is asked for."""
        if self._body is None:
            shown = (self._piece(key) for key in self.order() if not self._is_hidden(key))
            self._body = Body(self.version, _array(shown))
        return self._body

    def some(self, keys: Iterable[str]) -> bytes:
        """Those of these that are there, in the order given."""
        return _array(self._piece(key) for key in keys if key in self._pieces)

    def one(self, key: str) -> bytes:
        """A single piece. Raises KeyError."""
        return self._piece(key)

    def order(self) -> list[str]:
        """Their order; not to be changed by who asks."""
        if self._order is None:
            self._order = sorted(self._pieces, key=self._sort_key)
        return self._order

    def _piece(self, key: str) -> bytes:
        piece = self._pieces[key]
        if piece is None:
            piece = self._pieces[key] = encoded(self._render(key))
        return piece

    def _touch(self) -> None:
        self.version += 1
        self._body = None


_ABSENT = object()


def _array(pieces: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(pieces) + b"]"


def encoded(value: Any) -> bytes:
    """`value` as compact JSON."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return json_bytes(text)


def rfc3339(at: datetime | None) -> str | None:
    """In UTC, with microseconds and a Z: the form in which clients of this API parse times."""
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def parsed(text: str | None) -> datetime | None:
    """The time that `rfc3339` wrote. Raises ValueError or TypeError for what it never writes."""
    if text is None:
        return None
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return time
