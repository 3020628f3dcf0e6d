from __future__ import annotations

from support import segmentfiles
from touchline.media.mp4.sample import SampleEntry
from touchline.media.mp4.sampletable import SampleTable


def test_an_ordinary_segment_needs_no_wide_offsets() -> None:
    table = SampleTable(segmentfiles.CODEC)
    table.add(1000, [SampleEntry(0, 0, 10, keyframe=True)], 3600)
    assert b"co64" not in table.boxes()
    assert b"stco" in table.boxes()
