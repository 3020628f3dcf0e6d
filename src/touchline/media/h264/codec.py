"""What a decoder of an H.264 stream must know."""

from __future__ import annotations

from typing import NamedTuple


class Codec(NamedTuple):
    """An H.264 stream's picture size in pixels and its AVCDecoderConfigurationRecord."""

    width: int
    height: int
    avcc: bytes
