"""JSON on its way out: what a call returned becomes bytes once, with no model in between."""

from __future__ import annotations

import json
import math
from typing import Any

from fastapi import Response

MEDIA_TYPE = "application/json"


def encoded(value: Any) -> bytes:
    """`value` as JSON that every parser reads; raises ValueError for what JSON cannot say."""
    text = json.dumps(value, ensure_ascii=False, allow_nan=False, separators=(",", ":"))
    # A lone surrogate (a file name that is not UTF-8) has no UTF-8 form; Python's backslash escape
    # of it happens to be JSON's.
    return text.encode("utf-8", "backslashreplace")


def answer(value: Any, status_code: int = 200, headers: dict[str, str] | None = None) -> Response:
    """A JSON response of what a call returned; bytes are taken as JSON that stands already."""
    content = value if isinstance(value, bytes) else encoded(value)
    return Response(content, status_code, headers, MEDIA_TYPE)


def plain(value: Any) -> Any:
    """`value` made of what JSON can say, for echoing input that may be anything."""
    if isinstance(value, dict):
        return {str(key): plain(item) for key, item in value.items()}
    if isinstance(value, (list, tuple, set, frozenset)):
        return [plain(item) for item in value]
    if isinstance(value, float) and not math.isfinite(value):
        return str(value)
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, bytes):
        return value.decode("utf-8", "replace")
    return str(value)
