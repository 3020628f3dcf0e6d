"""Memory limits as they are written in settings."""

from __future__ import annotations

import re

_MEMORY = re.compile(r"([0-9]{1,15})([bkmg]?)", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
LEAST_MEMORY_BYTES = 32 << 20
MOST_MEMORY_BYTES = 128 << 30


def memory_bytes(text: str) -> int | None:
    """Parse a memory limit such as `512m` into bytes; `0` and blank are None. Raises ValueError."""
    if not text.strip():
        return None
    match = _MEMORY.fullmatch(text.strip())
    if match is None:
        raise ValueError("must be a number with an optional unit b, k, m or g, such as 512m or 2g")
    size_bytes = int(match[1]) * _UNITS[match[2].lower()]
    if size_bytes and not LEAST_MEMORY_BYTES <= size_bytes <= MOST_MEMORY_BYTES:
        raise ValueError("must be between 32m and 128g")
    return size_bytes or None
