"""Picture sizes in sequence parameter sets of H.264 or H.265."""

from __future__ import annotations

from touchline.media.h264 import syntax
from touchline.media.h264.bits import Bits, payload

MAX_SET_BYTES = 4096
MAX_SIDE = 16_384

Size = tuple[int, int]


def h264_size(unit: bytes) -> Size | None:
    """Read the size from an SPS of H.264; None if it cannot be read."""
    if not unit or unit[0] & 0x1F != syntax.SPS or len(unit) > MAX_SET_BYTES:
        return None
    try:
        sps = syntax.read_sps(unit)
    except ValueError:
        return None
    return _sane(sps.width, sps.height)


def h265_size(unit: bytes) -> Size | None:
    """Read the size from an SPS of H.265; None if it cannot be read."""
    if len(unit) < 2 or unit[0] >> 1 & 0x3F != 33 or len(unit) > MAX_SET_BYTES:
        return None
    try:
        width, height = _h265(Bits(payload(unit)[1:]))
    except ValueError:
        return None
    return _sane(width, height)


def _sane(width: int, height: int) -> Size | None:
    return (width, height) if 0 < width <= MAX_SIDE and 0 < height <= MAX_SIDE else None


def _h265(bits: Bits) -> Size:
    bits.u(4)
    layers = bits.u(3)
    bits.u(1)
    bits.u(96)
    present = [(bits.u(1), bits.u(1)) for _ in range(layers)]
    if layers:
        bits.u(2 * (8 - layers))
    for profile, level in present:
        bits.u(88 * profile + 8 * level)
    bits.ue()
    chroma = bits.ue()
    separate = bits.u(1) if chroma == 3 else 0
    width, height = bits.ue(), bits.ue()
    across, down = (1, 1) if separate else {1: (2, 2), 2: (2, 1)}.get(chroma, (1, 1))
    return _apply_cropping(bits, width, height, across, down)


def _apply_cropping(bits: Bits, width: int, height: int, across: int, down: int) -> Size:
    if bits.u(1):
        left, right, top, bottom = (bits.ue() for _ in range(4))
        width -= (left + right) * across
        height -= (top + bottom) * down
    return width, height
