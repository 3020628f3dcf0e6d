"""JSON responses: the result of a call is encoded once, without a model in between."""

from __future__ import annotations

import itertools
import json
import math
from typing import Any

from fastapi import Response

from touchline.foreign.numbers import LARGEST
from touchline.foreign.text import json_bytes

MEDIA_TYPE = "application/json"
ECHOED_LEVELS = 8
ECHOED_ITEMS = 100
ECHOED_CHARS = 2000
_LEFT_OUT = "…"


def encoded(value: Any) -> bytes:
    """Encode `value` as JSON that every parser reads; raise ValueError for other values."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return json_bytes(text)


def encode_echo(value: Any) -> bytes:
    """Encode like `encoded`, but keep lone surrogates: a client recognises its own id by them."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    return text.encode("utf-8", "backslashreplace")


def answer(value: Any, status_code: int = 200, headers: dict[str, str] | None = None) -> Response:
    """Return a JSON response with the result of a call; bytes are sent as encoded JSON."""
    content = value if isinstance(value, bytes) else encoded(value)
    return Response(content, status_code, headers, MEDIA_TYPE)


def plain(value: Any, depth: int = ECHOED_LEVELS) -> Any:
    """Convert `value` to plain JSON values, for echoing arbitrary input.

    Levels deeper than `depth`, and of long values everything but the beginning, are omitted.
    """
    if isinstance(value, dict | list | tuple | set | frozenset):
        return _members(value, depth - 1) if depth else _LEFT_OUT
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return value if abs(value) <= LARGEST else _LEFT_OUT
    if isinstance(value, float) and math.isfinite(value):
        return value
    return _short(value.decode("utf-8", "replace") if isinstance(value, bytes) else str(value))


def _members(value: Any, depth: int) -> Any:
    if isinstance(value, dict):
        some = itertools.islice(value.items(), ECHOED_ITEMS)
        return {_short(str(key)): plain(item, depth) for key, item in some}
    return [plain(item, depth) for item in itertools.islice(value, ECHOED_ITEMS)]


def _short(text: str) -> str:
    return text if len(text) <= ECHOED_CHARS else f"{text[:ECHOED_CHARS]}{_LEFT_OUT}"
