from __future__ import annotations

from pathlib import Path

import pytest

from support import segmentfiles
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4 import writer
from touchline.media.mp4.movie import read_codec
from touchline.media.mp4.record import RECORD_BYTES
from touchline.media.mp4.walk import NotSegment


def test_the_codec_reads_back_from_a_segments_head() -> None:
    moov = writer.init_part(segmentfiles.CODEC)[
        writer.FREE_OFFSET + len(writer.FREE) : -RECORD_BYTES
    ]
    assert read_codec(moov) == segmentfiles.CODEC


def test_the_codec_is_that_of_the_sample_entry_although_a_brand_has_its_name(
    tmp_path: Path,
) -> None:
    for finalized in (False, True):
        path = segmentfiles.write_segment(tmp_path / f"{finalized}.mp4", finalized=finalized)
        assert b"avc1" in path.read_bytes()[:32]  # the brand
        assert mp4scan.codec_of(path) == segmentfiles.CODEC


@pytest.mark.parametrize("kind", [b"moov", b"trak", b"stsd", b"avc1", b"avcC"])
def test_a_head_without_one_of_its_boxes_is_no_segment(tmp_path: Path, kind: bytes) -> None:
    path = segmentfiles.write_segment(tmp_path / "damaged.mp4", finalized=False)
    data = path.read_bytes()
    at = data.index(kind, 40)
    path.write_bytes(data[:at] + b"none" + data[at + 4 :])
    with pytest.raises(NotSegment):
        mp4scan.codec_of(path)
