"""Writing of MP4 boxes, and walking them by their sizes, never by searching for bytes.

A box type may also occur as a brand, in a payload or in encoded video, so a byte search eventually
finds the wrong place. ISO/IEC 14496-12, 4.2. Standard library only.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Sequence
from typing import NamedTuple

FULL_BOX_BYTES = 4
"""Version and flags, before the payload of a full box."""


class Box(NamedTuple):
    """A box: its type, and where its payload starts and ends in the data."""

    kind: bytes
    start: int
    end: int


def boxes(data: bytes | memoryview, start: int = 0, end: int | None = None) -> Iterator[Box]:
    """Yield the consecutive boxes in `data[start:end]`.

    Raises ValueError for a box that is shorter than its own header or longer than its parent.
    """
    end = len(data) if end is None else end
    at = start
    while at < end:
        if at + 8 > end:
            raise ValueError("a box header is cut off")
        size, kind = struct.unpack_from(">I4s", data, at)
        head = 8
        if size == 1:
            if at + 16 > end:
                raise ValueError("a box header is cut off")
            (size,) = struct.unpack_from(">Q", data, at + 8)
            head = 16
        elif size == 0:  # extends to the end of its parent
            size = end - at
        if size < head or at + size > end:
            raise ValueError(f"the box {kind!r} does not fit into its parent")
        yield Box(kind, at + head, at + size)
        at += size


def child(data: bytes | memoryview, parent: Box, kind: bytes, *, skip: int = 0) -> Box:
    """Return the first box of a type inside another whose own fields take `skip` bytes.

    Raises ValueError if there is none.
    """
    for box in boxes(data, parent.start + skip, parent.end):
        if box.kind == kind:
            return box
    raise ValueError(f"the box {parent.kind!r} has no {kind!r}")


def descend(data: bytes | memoryview, parent: Box, kinds: Sequence[bytes]) -> Box:
    """Return the box at the end of a path of plain container boxes. Raises ValueError."""
    for kind in kinds:
        parent = child(data, parent, kind)
    return parent


def box_of(kind: bytes, *payload: bytes) -> bytes:
    """Build a box of a type."""
    body = b"".join(payload)
    return struct.pack(">I4s", 8 + len(body), kind) + body


def full_box(kind: bytes, payload: bytes, *, version: int = 0, flags: int = 0) -> bytes:
    """Build a box with version and flags before its payload."""
    return box_of(kind, struct.pack(">I", version << 24 | flags), payload)


def table_of(row: str, rows: Sequence[tuple[int, ...]]) -> bytes:
    """Build a table: the number of rows, then the rows in one format."""
    pack = struct.Struct(row).pack
    return struct.pack(">I", len(rows)) + b"".join(pack(*r) for r in rows)
