"""The picture size in a sequence parameter set of H.264 or H.265."""

from __future__ import annotations

from touchline.worker.rtsp.errors import RtspError

MAX_SET_BYTES = 4096
_HIGH_PROFILES = {100, 110, 122, 244, 44, 83, 86, 118, 128, 138, 139, 134, 135}

Size = tuple[int, int]


class _Bits:
    """Reads bits from a unit whose emulation prevention bytes are gone."""

    def __init__(self, data: bytes) -> None:
        self._value = int.from_bytes(data, "big")
        self._left = 8 * len(data)

    def take(self, count: int) -> int:
        """The next bits as a number. Raises RtspError past the end."""
        self._left -= count
        if self._left < 0:
            raise RtspError("a parameter set ends too soon")
        return self._value >> self._left & ((1 << count) - 1)

    def unsigned(self) -> int:
        """An Exp-Golomb number."""
        zeros = 0
        while not self.take(1):
            zeros += 1
            if zeros > 32:
                raise RtspError("a parameter set holds a number that is too large")
        return (1 << zeros) - 1 + self.take(zeros)

    def signed(self) -> int:
        """A signed Exp-Golomb number."""
        number = self.unsigned()
        return (number + 1) // 2 if number % 2 else -(number // 2)


def h264_size(unit: bytes) -> Size | None:
    """Read the size from an SPS of H.264; None where it cannot be read."""
    if not unit or unit[0] & 0x1F != 7:
        return None
    return _guarded(unit[1:], _h264)


def h265_size(unit: bytes) -> Size | None:
    """Read the size from an SPS of H.265; None where it cannot be read."""
    if len(unit) < 2 or unit[0] >> 1 & 0x3F != 33:
        return None
    return _guarded(unit[2:], _h265)


def _guarded(data: bytes, read: object) -> Size | None:
    if len(data) > MAX_SET_BYTES or not callable(read):
        return None
    try:
        width, height = read(_Bits(data.replace(b"\0\0\3", b"\0\0")))
    except RtspError:
        return None
    return (width, height) if 0 < width <= 16384 and 0 < height <= 16384 else None


def _h264(bits: _Bits) -> Size:
    profile = bits.take(8)
    bits.take(16)
    bits.unsigned()
    chroma, separate = 1, 0
    if profile in _HIGH_PROFILES:
        chroma = bits.unsigned()
        if chroma == 3:
            separate = bits.take(1)
        bits.unsigned()
        bits.unsigned()
        bits.take(1)
        if bits.take(1):
            for each in range(12 if chroma == 3 else 8):
                if bits.take(1):
                    _skip_scaling_list(bits, 16 if each < 6 else 64)
    bits.unsigned()
    order = bits.unsigned()
    if order == 0:
        bits.unsigned()
    elif order == 1:
        bits.take(1)
        bits.signed()
        bits.signed()
        for _ in range(min(bits.unsigned(), 255)):
            bits.signed()
    bits.unsigned()
    bits.take(1)
    width = (bits.unsigned() + 1) * 16
    units = bits.unsigned() + 1
    frames_only = bits.take(1)
    height = units * 16 * (2 - frames_only)
    if not frames_only:
        bits.take(1)
    bits.take(1)
    across, down = (1, 1) if separate else {1: (2, 2), 2: (2, 1)}.get(chroma, (1, 1))
    return _cropped(bits, width, height, across, down * (2 - frames_only))


def _skip_scaling_list(bits: _Bits, count: int) -> None:
    last = following = 8
    for _ in range(count):
        if following:
            following = (last + bits.signed() + 256) % 256
        last = following or last


def _h265(bits: _Bits) -> Size:
    bits.take(4)
    layers = bits.take(3)
    bits.take(1)
    bits.take(96)
    present = [(bits.take(1), bits.take(1)) for _ in range(layers)]
    if layers:
        bits.take(2 * (8 - layers))
    for profile, level in present:
        bits.take(88 * profile + 8 * level)
    bits.unsigned()
    chroma = bits.unsigned()
    separate = bits.take(1) if chroma == 3 else 0
    width, height = bits.unsigned(), bits.unsigned()
    across, down = (1, 1) if separate else {1: (2, 2), 2: (2, 1)}.get(chroma, (1, 1))
    return _cropped(bits, width, height, across, down)


def _cropped(bits: _Bits, width: int, height: int, across: int, down: int) -> Size:
    if bits.take(1):
        left, right, top, bottom = (bits.unsigned() for _ in range(4))
        width -= (left + right) * across
        height -= (top + bottom) * down
    return width, height
