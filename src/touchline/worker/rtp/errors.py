"""Errors that end the reading of a stream."""

from __future__ import annotations


class StreamError(ValueError):
    """The camera's stream cannot be recorded; the message says why."""
