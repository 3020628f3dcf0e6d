"""JSON arrays that are kept encoded by element.

The cost of a read depends on what has changed since the last one.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, overload

from touchline.foreign.text import json_bytes


@dataclass(frozen=True, slots=True)
class Body:
    """Encoded answer and its version; equal versions have equal bytes."""

    version: int
    content: bytes


class Listing:
    """Encoded elements by key, in the order of `sort_key`.

    `render` creates an element when it is requested.
    """

    def __init__(
        self,
        render: Callable[[str], Any],
        sort_key: Callable[[str], Any],
        *,
        is_hidden: Callable[[str], bool] = lambda _: False,
    ) -> None:
        """Create an empty listing.

        Elements for which `is_hidden` is true are left out of the body only.
        """
        self.version = 0
        """Version that increases with every change."""
        self._render = render
        self._sort_key = sort_key
        self._is_hidden = is_hidden
        self._pieces: dict[str, bytes | None] = {}
        self._order: list[str] | None = []
        self._body: Body | None = None

    def __contains__(self, key: str) -> bool:
        return key in self._pieces

    def put(self, key: str, *, moved: bool = False) -> None:
        """Add an element or mark it to be rendered again.

        `moved`: its position may have changed.
        """
        if moved or key not in self._pieces:
            self._order = None
        self._pieces[key] = None
        self._touch()

    def remove(self, key: str) -> None:
        """Remove an element."""
        if self._pieces.pop(key, _ABSENT) is not _ABSENT:
            self._order = None
            self._touch()

    def body(self) -> Body:
        """Return all elements, encoded once per change."""
        if self._body is None:
            shown = (self._piece(key) for key in self.order() if not self._is_hidden(key))
            self._body = Body(self.version, _array(shown))
        return self._body

    def some(self, keys: Iterable[str]) -> bytes:
        """Return the existing elements with these keys, in the given order."""
        return _array(self._piece(key) for key in keys if key in self._pieces)

    def one(self, key: str) -> bytes:
        """Return a single element. Raises KeyError."""
        return self._piece(key)

    def order(self) -> list[str]:
        """Return the keys in order; the caller must not change the list."""
        if self._order is None:
            self._order = sorted(self._pieces, key=self._sort_key)
        return self._order

    def _piece(self, key: str) -> bytes:
        piece = self._pieces[key]
        if piece is None:
            piece = self._pieces[key] = encode_compact(self._render(key))
        return piece

    def _touch(self) -> None:
        self.version += 1
        self._body = None


_ABSENT = object()


def _array(pieces: Iterable[bytes]) -> bytes:
    return b"[" + b",".join(pieces) + b"]"


def encode_compact(value: Any) -> bytes:
    """Return `value` as compact JSON."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return json_bytes(text)


@overload
def rfc3339(at: datetime) -> str: ...
@overload
def rfc3339(at: datetime | None) -> str | None: ...
def rfc3339(at: datetime | None) -> str | None:
    """Return a time in UTC, with microseconds and a Z.

    Clients of this API parse times in this form.
    """
    if at is None:
        return None
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"


def parsed(text: str | None) -> datetime | None:
    """Parse a time written by `rfc3339`. Raises ValueError or TypeError for other forms."""
    if text is None:
        return None
    time = datetime.fromisoformat(text)
    if time.tzinfo is None:
        raise ValueError(f"{text} has no time zone")
    return time
