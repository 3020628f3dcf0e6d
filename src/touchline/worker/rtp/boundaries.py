"""Picture boundaries in RTP payloads of codecs that are decoded here (RFC 7798, RFC 2435)."""

from __future__ import annotations

from collections.abc import Callable

Begins = Callable[[bytes], bool | None]
"""Whether a payload begins a picture; None if it does not say."""

_AGGREGATE, _FRAGMENT, _VCL = 48, 49, 32
_HEAD = frozenset({32, 33, 34, 35, 39, *range(41, 45), *range(48, 56)})
"""Unit types that belong to the picture that follows them (H.265, 7.4.2.4.4)."""
_MOST_UNITS = 512


def has_boundaries(codec: str) -> bool:
    """Return whether payloads of this codec mark the beginning of a picture."""
    return codec in {"h265", "mjpeg"}


def boundary_detector(codec: str) -> Begins:
    """Return the function that detects the beginning of a picture in this codec's payloads."""
    if codec == "h265":
        return H265Pictures().begins
    return is_jpeg_start if codec == "mjpeg" else lambda _payload: None


def is_jpeg_start(payload: bytes) -> bool | None:
    """Return whether this is the first fragment of a JPEG."""
    return payload[1:4] == b"\0\0\0" if len(payload) > 8 else None


class H265Pictures:
    """Picture boundaries in H.265 payloads: the first slice of a picture or units before it."""

    def __init__(self) -> None:
        self._sliced = False

    def begins(self, payload: bytes) -> bool | None:
        """Return whether this payload begins another picture than the previous one."""
        begins = False
        for kind, body in _units(payload):
            if kind < _VCL:
                first = bool(body and body[0] & 0x80)  # first_slice_segment_in_pic_flag
                begins = begins or (first and self._sliced)
                self._sliced = True
            elif kind in _HEAD and self._sliced:
                begins, self._sliced = True, False
        return begins


def _units(payload: bytes) -> list[tuple[int, bytes]]:
    """Return the types of the units that begin here, each with its first byte after the header."""
    kind = payload[0] >> 1 & 0x3F if len(payload) > 3 else -1
    if kind == _FRAGMENT:
        return [(payload[2] & 0x3F, payload[3:4])] if payload[2] & 0x80 else []
    if kind != _AGGREGATE:
        return [(kind, payload[2:3])] if 0 <= kind < _AGGREGATE else []
    found: list[tuple[int, bytes]] = []
    at = 2
    while at + 4 < len(payload) and len(found) < _MOST_UNITS:
        size = int.from_bytes(payload[at : at + 2], "big")
        found.append((payload[at + 2] >> 1 & 0x3F, payload[at + 4 : at + 5]))
        at += 2 + size
    return found
