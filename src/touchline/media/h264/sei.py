"""Supplemental messages (SEI) of H.264: recovery points, where decoding can start."""

from __future__ import annotations

from touchline.media.h264.bits import Bits, payload

_RECOVERY_POINT = 6


def recovery_frames(unit: bytes) -> int | None:
    """Return the frame count of a recovery point message; None without one."""
    bits_data = payload(unit, 4096)
    at = 0
    while at + 2 < len(bits_data):
        kind = size = 0
        while at < len(bits_data) and bits_data[at] == 255:
            kind, at = kind + 255, at + 1
        if at >= len(bits_data):
            return None
        kind, at = kind + bits_data[at], at + 1
        while at < len(bits_data) and bits_data[at] == 255:
            size, at = size + 255, at + 1
        if at >= len(bits_data):
            return None
        size, at = size + bits_data[at], at + 1
        if kind == _RECOVERY_POINT:
            try:
                return Bits(bits_data[at : at + size]).ue(65_535)
            except ValueError:
                return None
        at += size
    return None
