"""Parsing of external numbers: ASCII digits only, of bounded length and range.

`int()` accepts digits of every script, underscores and spaces, and raises for 5,000 digits;
`str.isdigit()` is true for `²`, which `int()` refuses. Neither is suitable for external text.
"""

from __future__ import annotations

import math
import re

LARGEST = (1 << 63) - 1
MOST_DIGITS = 19

_DIGITS = re.compile(r"[0-9]{1,19}", re.ASCII)
_SIGNED = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_DECIMAL = re.compile(
    r"[+-]?(?:[0-9]{1,19}(?:\.[0-9]{0,30})?|\.[0-9]{1,30})(?:[eE][+-]?[0-9]{1,3})?", re.ASCII
)


def whole(text: str, *, most: int = LARGEST, least: int = 0) -> int | None:
    """Parse a whole number without a sign; None if invalid or out of range."""
    if not _DIGITS.fullmatch(text):
        return None
    value = int(text)
    return value if least <= value <= most else None


def integer(text: str, *, least: int = -LARGEST, most: int = LARGEST) -> int | None:
    """Parse a whole number with an optional sign; None if invalid or out of range."""
    if not _SIGNED.fullmatch(text):
        return None
    value = int(text)
    return value if least <= value <= most else None


def decimal(text: str, *, least: float = -1e15, most: float = 1e15) -> float | None:
    """Parse a finite number; None if invalid or out of range."""
    if len(text) > 64 or not _DECIMAL.fullmatch(text):
        return None
    value = float(text)
    return value if math.isfinite(value) and least <= value <= most else None
