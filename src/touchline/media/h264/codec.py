"""Parameters that a decoder of an H.264 stream needs."""

from __future__ import annotations

from typing import NamedTuple


class Codec(NamedTuple):
    """Picture size of an H.264 stream in pixels, and its AVCDecoderConfigurationRecord."""

    width: int
    height: int
    avcc: bytes
