from __future__ import annotations

from pathlib import Path

from support import segmentfiles
from touchline.capture.library.manifest import manifest as m
from touchline.capture.library.manifest.rescan import rescan

NAME = "cam0_20260211_220241_00.mp4"


def test_a_rescan_takes_the_times_from_the_footage_and_lists_the_gaps(tmp_path: Path) -> None:
    start = segmentfiles.START_UNIX_NS
    later = start + 5_000_000_000
    segments = tmp_path / "segments"
    segmentfiles.write_segment(segments / NAME)  # 5 fragments of 0.4 s
    segmentfiles.write_segment(
        segments / "cam0_20260211_220246_01.mp4", 2, start_unix_ns=later, finalized=False
    )
    (segments / "cam1_20260211_220241_00.mkv").write_bytes(b"somebody else's")
    (segments / "notes.txt").write_text("not a video")
    (segments / "cam0_link.mp4").symlink_to(segments / NAME)

    manifest = rescan(tmp_path)

    assert manifest.match_id == tmp_path.name
    assert manifest.state == "interrupted"
    assert manifest.clock == m.MatchClock(start_unix_ns=start)
    assert manifest.ended_unix_ns == later + 800_000_000
    first, second, foreign = manifest.segments
    assert (first.start_unix_ns, first.end_unix_ns) == (start, start + 2_000_000_000)
    assert (first.frames, first.fragments, first.finalized) == (50, 5, True)
    assert (second.index, second.finalized, second.frames) == (1, False, 20)
    assert (foreign.camera, foreign.size_bytes, foreign.start_unix_ns) == ("cam1", 15, None)
    gap = m.Gap(
        camera="cam0", from_unix_ns=start + 2_000_000_000, to_unix_ns=later, reason="unknown"
    )
    assert manifest.gaps == (gap,)
    assert manifest.cameras["cam0"].width == 1920


def test_the_next_segment_of_an_uninterrupted_recording_leaves_no_gap(tmp_path: Path) -> None:
    segments = tmp_path / "segments"
    segmentfiles.write_segment(segments / NAME)
    segmentfiles.write_segment(
        segments / "cam0_20260211_220241_01.mp4",
        start_unix_ns=segmentfiles.START_UNIX_NS + 2_000_000_000,
    )
    manifest = rescan(tmp_path)
    assert manifest.gaps == ()
    assert manifest.state == "finished"


def test_a_rescan_of_an_empty_folder_is_a_match_without_footage(tmp_path: Path) -> None:
    manifest = rescan(tmp_path)
    assert (manifest.segments, manifest.clock, manifest.ended_unix_ns) == ((), None, None)
