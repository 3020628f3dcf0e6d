from __future__ import annotations

from touchline.capture.library.manifest import manifest as m

NAME = "cam0_20260211_220241_00.mp4"


def test_a_segment_takes_the_place_of_the_one_of_its_name_and_the_order_is_by_start() -> None:
    names = ["cam1_20260211_220241_00.mp4", "cam0_20260211_230000_00.mp4", NAME]
    manifest = m.Manifest(match_id="m1", state="recording")
    for name in names:
        manifest = manifest.with_segment(m.SegmentRecord(name=name, camera=name[:4], index=0))
    manifest = manifest.with_segment(m.SegmentRecord(name=NAME, camera="cam0", index=0, frames=9))
    assert [s.name for s in manifest.segments] == [NAME, names[1], names[0]]
    found = manifest.segment(NAME)
    assert found is not None
    assert found.frames == 9
    assert manifest.segment("other.mp4") is None
