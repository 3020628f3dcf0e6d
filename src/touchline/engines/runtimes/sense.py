"""Conversion of parsing errors in a daemon's answers to RuntimeUnavailable."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from touchline.engines.model.runtime import RuntimeUnavailable
from touchline.foreign.text import shown


@contextmanager
def making_sense() -> Iterator[None]:
    """Convert parsing errors within this scope to RuntimeUnavailable; also a decorator."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError, ArithmeticError, OSError) as error:
        why = shown(repr(error)[:1000], 200)
        raise RuntimeUnavailable(f"Docker's response is invalid: {why}") from error
