"""A segment that is scanned anew after a change."""

from __future__ import annotations

from pathlib import Path

from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4.walk import SegmentScan


def rescan(path: Path, data: bytes | bytearray) -> SegmentScan:
    path.write_bytes(data)
    return mp4scan.scan(path, checksums=True)


def home_of(scan: SegmentScan, at: int) -> int | None:
    """The fragment that a byte belongs to; 0 is the head, None the end."""
    if at < scan.fragments[0].offset:
        return 0
    for fragment in scan.fragments:
        if at < fragment.offset + fragment.size_bytes:
            return fragment.sequence
    return None


def assert_located(whole: SegmentScan, found: SegmentScan, at: int) -> None:
    """Only where the damage is is a fault, and everything else is still there."""
    home = home_of(whole, at)
    places = {fault.fragment for fault in found.faults}
    if home:
        assert places == {home}, f"byte {at} of fragment {home}: {found.faults}"
    else:
        assert places <= {0, None}, f"byte {at} of the head or the end: {found.faults}"
    left = [f for f in whole.fragments if f.sequence != home]
    assert list(found.fragments) == left, f"byte {at}: {found.faults}"
