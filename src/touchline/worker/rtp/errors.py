"""What ends the reading of a stream."""

from __future__ import annotations


class StreamError(ValueError):
    """What the camera sends cannot be recorded; the message says what it is."""
