from __future__ import annotations

import json
import resource
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from support import segmentfiles
from touchline.capture.library import manifest as m
from touchline.core.errors import Invalid, Refused

NAME = "cam0_20260211_220241_00.mp4"


@pytest.mark.parametrize(
    "text",
    ["m", "match_1770847361", "U19 Final 2-1", "Bülach-Wil", "試合", "a.b", "x" * 128],
)
def test_a_match_id_of_letters_digits_and_plain_marks_is_valid(text: str) -> None:
    assert m.valid_match_id(text) == text


@pytest.mark.parametrize(
    "text",
    [
        *("", ".", "..", ".hidden", "a/b", "a\\b", "a\0b", "a\nb", "a\x7fb", "x" * 129),
        *(" ", "   ", " a", "a ", " . "),
        *("a:b", "a\u2028b", "a\u200bb", "a\ud800b", "a%2fb", "試" * 100, "a\u202eb", "a\u00a0b"),
    ],
)
def test_a_match_id_that_could_be_a_path_or_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(Invalid):
        m.valid_match_id(text)


@given(st.text(max_size=140))
def test_whatever_is_a_valid_match_id_is_one_path_component(text: str) -> None:
    try:
        valid = m.valid_match_id(text)
    except Invalid:
        return
    root = Path("/root")
    assert (root / valid).parent == root
    assert (root / valid).name == valid
    assert len(valid.encode()) <= 255


@pytest.mark.parametrize(
    ("name", "camera", "label", "index"),
    [
        (NAME, "cam0", "20260211_220241", 0),
        ("cam1_20260211_220241_09.mp4", "cam1", "20260211_220241", 9),
        ("cam12_20260211_220241_10.mp4", "cam12", "20260211_220241", 10),
        ("cam0.mp4", "cam0", "", None),
        ("cam0_archive.mp4", "cam0", "", None),
        ("left-cam1-003.mkv", "cam1", "", 3),
        ("part7.mkv", "unknown", "", 7),
        ("holiday.mov", "unknown", "", None),
    ],
)
def test_a_file_name_tells_camera_start_and_index(
    name: str, camera: str, label: str, index: int | None
) -> None:
    parsed = m.parse_segment_name(name)
    assert (parsed.camera, parsed.label, parsed.index) == (camera, label, index)


def test_what_is_saved_is_loaded(tmp_path: Path) -> None:
    manifest = m.Manifest(
        match_id="m1",
        state="recording",
        clock=m.Clock(start_unix_ns=1, start_monotonic_ns=2, boot_id="b"),
        cameras={"cam0": m.CameraFacts(kind="rtsp", name="Main stand", width=1920, height=1080)},
        segments=(m.Segment(name=NAME, camera="cam0", index=0, frames=3, verified=True),),
        gaps=(m.Gap(camera="cam0", from_unix_ns=1, to_unix_ns=None, reason="stalled"),),
        interruptions=(m.Interruption(at_unix_ns=5, reason="power", resumed=True),),
        integrity={"checked": True},
        process_after_recording=True,
        protected=True,
    )
    m.save(tmp_path, manifest)
    assert m.load(tmp_path) == manifest
    assert [p.name for p in tmp_path.iterdir()] == ["match.json"]


def test_a_save_that_fails_leaves_the_old_manifest(tmp_path: Path) -> None:
    old = m.Manifest(match_id="m1", state="recording")
    m.save(tmp_path, old)
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, hard))  # the new file cannot be written
    try:
        with pytest.raises(OSError, match="too large"):
            m.save(tmp_path, old.model_copy(update={"state": "finished"}))
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert [p.name for p in tmp_path.iterdir()] == ["match.json"]
    assert m.load(tmp_path) == old


def test_a_folder_without_a_manifest_has_none(tmp_path: Path) -> None:
    assert m.load(tmp_path) is None


def test_a_segment_takes_the_place_of_the_one_of_its_name_and_the_order_is_by_start() -> None:
    names = ["cam1_20260211_220241_00.mp4", "cam0_20260211_230000_00.mp4", NAME]
    manifest = m.Manifest(match_id="m1", state="recording")
    for name in names:
        manifest = manifest.with_segment(m.Segment(name=name, camera=name[:4], index=0))
    manifest = manifest.with_segment(m.Segment(name=NAME, camera="cam0", index=0, frames=9))
    assert [s.name for s in manifest.segments] == [NAME, names[1], names[0]]
    found = manifest.segment(NAME)
    assert found is not None
    assert found.frames == 9
    assert manifest.segment("other.mp4") is None


def test_a_damaged_manifest_is_put_aside_and_read_back_from_the_segments(tmp_path: Path) -> None:
    segmentfiles.write_segment(tmp_path / "segments" / NAME)
    (tmp_path / "match.json").write_text('{"match_id": "m')
    manifest = m.load(tmp_path)
    assert manifest is not None
    assert manifest.segments[0].frames == 50
    assert (tmp_path / "match.json.damaged").read_text() == '{"match_id": "m'
    assert m.load(tmp_path) == manifest


@pytest.mark.parametrize("extra", [{}, {"segments": "described otherwise by then"}])
def test_a_manifest_of_a_newer_version_is_left_alone(tmp_path: Path, extra: dict[str, str]) -> None:
    text = json.dumps({"format_version": 99, "match_id": "m1", "state": "finished", **extra})
    (tmp_path / "match.json").write_text(text)
    with pytest.raises(Refused) as raised:
        m.load(tmp_path)
    assert raised.value.code == "manifest_too_new"
    assert (tmp_path / "match.json").read_text() == text


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

    manifest = m.rescan(tmp_path)

    assert manifest.match_id == tmp_path.name
    assert manifest.state == "interrupted"
    assert manifest.clock == m.Clock(start_unix_ns=start)
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
    manifest = m.rescan(tmp_path)
    assert manifest.gaps == ()
    assert manifest.state == "finished"


def test_a_rescan_of_an_empty_folder_is_a_match_without_footage(tmp_path: Path) -> None:
    manifest = m.rescan(tmp_path)
    assert (manifest.segments, manifest.clock, manifest.ended_unix_ns) == ((), None, None)
