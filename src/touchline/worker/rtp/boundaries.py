"""Where pictures begin in RTP payloads of codecs that are decoded here (RFC 7798, RFC 2435)."""

from __future__ import annotations

from collections.abc import Callable

Begins = Callable[[bytes], bool | None]
"""Whether a payload begins a picture; None where it does not say so."""

_AGGREGATE, _FRAGMENT, _VCL = 48, 49, 32
_HEAD = frozenset({32, 33, 34, 35, 39, *range(41, 45), *range(48, 56)})
"""Units that belong to the picture behind them, by type (H.265, 7.4.2.4.4)."""
_MOST_UNITS = 512


def tells(codec: str) -> bool:
    """Whether payloads of this codec say where a picture begins."""
    return codec in {"h265", "mjpeg"}


def begins_in(codec: str) -> Begins:
    """Return what reads the payloads of a codec."""
    if codec == "h265":
        return H265Pictures().begins
    return begins_jpeg if codec == "mjpeg" else lambda _payload: None


def begins_jpeg(payload: bytes) -> bool | None:
    """Whether this is the first fragment of a JPEG."""
    return payload[1:4] == b"\0\0\0" if len(payload) > 8 else None


class H265Pictures:
    """Reads H.265 payloads in order: a picture begins at its first slice, or at what leads it."""

    def __init__(self) -> None:
        self._sliced = False

    def begins(self, payload: bytes) -> bool | None:
        """Whether this payload begins another picture than the one before it."""
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
    """Types of the units that begin here, each with the first byte behind its header."""
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
