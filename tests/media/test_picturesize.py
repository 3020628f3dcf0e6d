from __future__ import annotations

import pytest

from support.parametersets import Writer, sps
from touchline.media.picturesize import MAX_SET_BYTES, MAX_SIDE, Size, h264_size, h265_size

H265_SPS = 0x42


def h265(
    width: int,
    height: int,
    *,
    chroma: int = 1,
    separate: bool = False,
    cropping: tuple[int, int, int, int] | None = None,
    layers: int = 0,
) -> bytes:
    """A set of H.265; `cropping` is left, right, top, bottom, in units of the chroma."""
    bits = Writer().u(8, 1)  # the second byte of its head
    bits.u(4, 0).u(3, layers).u(1, 1).u(8, 1).u(32, 0x60000000).u(48, 0x900000000000).u(8, 93)
    if layers:
        for _ in range(layers):
            bits.u(1, 1).u(1, 1)
        bits.u(2 * (8 - layers), 0)
        bits.u(96 * layers, 0)
    bits.ue(0, chroma)
    if chroma == 3:
        bits.u(1, separate)
    bits.ue(width, height).u(1, cropping is not None)
    return bits.ue(*(cropping or ())).ue(0, 0, 4).unit(H265_SPS)


@pytest.mark.parametrize(
    ("unit", "size"),
    [
        (sps(width_mbs=20, height_mbs=12), (320, 192)),
        (sps(width_mbs=120, height_mbs=68, cropping=(0, 0, 0, 4)), (1920, 1080)),
        (sps(width_mbs=20, height_mbs=12, cropping=(1, 1, 2, 0)), (316, 188)),
        (sps(width_mbs=MAX_SIDE // 16, height_mbs=1), (MAX_SIDE, 16)),
        (sps(width_mbs=MAX_SIDE // 16 + 1, height_mbs=1), None),
        (b"", None),
        (b"\x67", None),
        (b"\x68" + sps()[1:], None),
        (sps()[:5], None),
        (sps() + bytes(MAX_SET_BYTES), None),
    ],
)
def test_the_size_of_h264(unit: bytes, size: Size | None) -> None:
    assert h264_size(unit) == size


@pytest.mark.parametrize(
    ("unit", "size"),
    [
        (h265(1920, 1080), (1920, 1080)),
        (h265(1920, 1088, cropping=(0, 0, 0, 4)), (1920, 1080)),
        (h265(1920, 1088, chroma=2, cropping=(0, 0, 0, 8)), (1920, 1080)),
        (h265(1920, 1088, chroma=3, cropping=(1, 1, 0, 8)), (1918, 1080)),
        (h265(1920, 1088, chroma=3, separate=True, cropping=(1, 1, 0, 8)), (1918, 1080)),
        (h265(1920, 1088, chroma=0, cropping=(0, 0, 0, 8)), (1920, 1080)),
        (h265(3840, 2160, layers=2), (3840, 2160)),
        (h265(MAX_SIDE, MAX_SIDE), (MAX_SIDE, MAX_SIDE)),
        (h265(MAX_SIDE + 8, 1080), None),
        (h265(0, 1080), None),
        (h265(640, 360, cropping=(200, 200, 0, 0)), None),
        (h265(640, 360)[:12], None),
        (h265(640, 360) + bytes(MAX_SET_BYTES), None),
        (b"\x44" + h265(640, 360)[1:], None),
        (b"", None),
        (b"\x42", None),
        (b"\x42\x01", None),
    ],
)
def test_the_size_of_h265(unit: bytes, size: Size | None) -> None:
    assert h265_size(unit) == size
