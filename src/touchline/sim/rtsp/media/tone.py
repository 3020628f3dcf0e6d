"""A tone in G.711 A-law: 8,000 samples per second in packets of 20 ms."""

from __future__ import annotations

import math

RATE = 8000
PACKET = 160
_HERTZ = 440
_LOUDNESS = 3000


def alaw(sample: int) -> int:
    """Encode a 16-bit sample (ITU-T G.711, even bits inverted)."""
    sign = 0x80 if sample >= 0 else 0
    magnitude = min(sample if sample >= 0 else -sample - 1, 32_635) >> 4
    if magnitude < 16:
        code = magnitude
        exponent = 0
    else:
        exponent = magnitude.bit_length() - 4
        code = magnitude >> (exponent - 1) & 0x0F
    if exponent == 0:
        return (sign | code & 0x0F) ^ 0x55
    return (sign | exponent << 4 | code) ^ 0x55


_SECOND = bytes(
    alaw(round(_LOUDNESS * math.sin(2 * math.pi * _HERTZ * n / RATE))) for n in range(RATE)
)


def packet(number: int) -> bytes:
    """Return packet `number` of an endless tone."""
    at = number * PACKET % RATE
    return _SECOND[at : at + PACKET]
