"""Coded frames that no decoder would take: as much of a picture as passing it on needs."""

from __future__ import annotations

from touchline.live.frames.frame import LiveFrame
from touchline.media.h264.codec import Codec

FPS = 30
SPS, PPS = b"\x67\x42\xc0\x1f\x8c", b"\x68\xce\x3c\x80"
CODEC = Codec(
    320,
    180,
    b"\x01\x42\xc0\x1f\xff\xe1\x00\x05" + SPS + b"\x01\x00\x04" + PPS,
)


def unit(data: bytes) -> bytes:
    """One unit with its length in front."""
    return len(data).to_bytes(4, "big") + data


def frame(
    number: int, *, keyframe: bool = False, broken: bool = False, size: int = 10, fps: float = FPS
) -> LiveFrame:
    """Frame `number` of a camera that began at 0."""
    at_ns, next_ns = round(number * 1e9 / fps), round((number + 1) * 1e9 / fps)
    data = unit((b"\x65" if keyframe else b"\x41") + bytes(size - 5))
    return LiveFrame(data, at_ns, at_ns, next_ns - at_ns, keyframe, broken, CODEC)


def frames(count: int, *, gop: int, size: int = 10, fps: float = FPS) -> list[LiveFrame]:
    """That many frames, a keyframe first and then every `gop`."""
    return [frame(n, keyframe=n % gop == 0, size=size, fps=fps) for n in range(count)]
