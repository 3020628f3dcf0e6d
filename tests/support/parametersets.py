"""H.264 parameter sets: written bit by bit, and those of an encoder."""

from __future__ import annotations

import re
from collections.abc import Sequence

from support.rtpcamera import encoded
from touchline.media.h264.syntax import PPS, SPS

PLAIN = "keyint=20:bframes=0"


class Writer:
    """Writes what `Bits` reads."""

    def __init__(self) -> None:
        self._bits = ""

    def u(self, count: int, value: int) -> Writer:
        self._bits += f"{value:0{count}b}"
        return self

    def ue(self, *values: int) -> Writer:
        for value in values:
            binary = f"{value + 1:b}"
            self._bits += "0" * (len(binary) - 1) + binary
        return self

    def unit(self, head: int) -> bytes:
        bits = self._bits + "1"
        bits += "0" * (-len(bits) % 8)
        body = int(bits, 2).to_bytes(len(bits) // 8, "big")
        body = re.sub(rb"\0\0(?=[\0-\3])", b"\0\0\3", body)
        return bytes([head]) + body


def sps(*, width_mbs: int = 20, height_mbs: int = 12, cropping: Sequence[int] = ()) -> bytes:
    """A baseline set of a camera."""
    bits = Writer().u(8, 66).u(8, 0).u(8, 31).ue(0, 0, 2, 1).u(1, 0)
    bits.ue(width_mbs - 1, height_mbs - 1).u(1, 1).u(1, 1).u(1, bool(cropping))
    return bits.ue(*cropping).u(1, 0).unit(0x67)


def sets(x264: str, **shape: int) -> tuple[bytes, bytes]:
    nals = encoded(4, x264, **shape)[0].nals
    return tuple(next(n for n in nals if n[0] & 31 == kind) for kind in (SPS, PPS))  # type: ignore[return-value]
