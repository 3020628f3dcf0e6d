"""Parsing of external JSON, refused if too deep or with numbers out of range. Pure."""

from __future__ import annotations

import json
import math
from functools import partial
from typing import Any

MOST_DEPTH = 40
MOST_DIGITS = 19


def parse_foreign(content: bytes, *, most_digits: int = MOST_DIGITS) -> Any:
    """Parse JSON. Raises ValueError for invalid JSON and for values that no program needs.

    These are NaN and infinities, numbers that no counter reaches, deeper nesting than in any
    response, and lone surrogates, which could not be encoded in a response. The caller limits the
    length.
    """
    integer = partial(_integer, most_digits=most_digits)
    try:
        value = json.loads(content, parse_constant=_refused, parse_int=integer, parse_float=_number)
    except RecursionError as error:
        raise ValueError("nested too deeply") from error
    _check_depth(value)
    if b"\\u" in content:
        # Only an escape can produce a lone surrogate, which cannot be encoded.
        json.dumps(value, ensure_ascii=False).encode()
    return value


def _refused(word: str) -> Any:
    raise ValueError(f"{word} is not a number")


def _integer(digits: str, *, most_digits: int) -> int:
    if len(digits.lstrip("-")) > most_digits:
        raise ValueError("a number is too large")
    return int(digits)


def _number(text: str) -> float:
    value = float(text)
    if not math.isfinite(value):
        raise ValueError("a number is too large")
    return value


def _check_depth(value: Any) -> None:
    level = [value]
    for _ in range(MOST_DEPTH):
        inner: list[Any] = []
        for each in level:
            if isinstance(each, dict):
                inner.extend(each.values())
            elif isinstance(each, list):
                inner.extend(each)
        level = [each for each in inner if isinstance(each, (dict, list))]
        if not level:
            return
    raise ValueError("nested too deeply")
