"""Mending what a crash left, file by file."""

from __future__ import annotations

from pathlib import Path

import pytest

from support import segmentfiles
from touchline.capture.library import recovery
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Manifest, MatchClock, SegmentRecord, State
from touchline.media.mp4 import scan
from touchline.media.mp4.walk import SegmentScan

NAME = "cam0_20260211_220241_00.mp4"
S = 1_000_000_000


def match(root: Path, match_id: str = "m1", *, state: State = "recording", start: int = 0) -> Path:
    folder = root / match_id
    (folder / "segments").mkdir(parents=True)
    clock = MatchClock(start_unix_ns=start)
    manifestfile.save(folder, Manifest(match_id=match_id, state=state, clock=clock))
    return folder


def test_only_matches_that_were_being_recorded_are_interrupted_and_the_newest_is_last(
    tmp_path: Path,
) -> None:
    match(tmp_path, "newer", start=20 * S)
    match(tmp_path, "older", start=10 * S)
    match(tmp_path, "done", state="finished")
    match(tmp_path, ".trash")
    (tmp_path / "foreign").mkdir()
    (tmp_path / "link").symlink_to(tmp_path / "newer")
    found = recovery.find_interrupted_matches(tmp_path)
    assert [manifest.match_id for manifest in found] == ["older", "newer"]


def test_a_folder_that_is_not_there_holds_no_matches(tmp_path: Path) -> None:
    assert recovery.find_interrupted_matches(tmp_path / "none") == []


def test_a_manifest_of_a_newer_version_keeps_no_other_match_from_being_found(
    tmp_path: Path,
) -> None:
    match(tmp_path, "m1")
    (match(tmp_path, "later") / "match.json").write_text('{"format_version": 99}')
    assert [m.match_id for m in recovery.find_interrupted_matches(tmp_path)] == ["m1"]


def test_an_open_segment_is_cut_to_its_last_whole_fragment_and_finished(tmp_path: Path) -> None:
    folder = match(tmp_path)
    path = segmentfiles.write_segment(folder / "segments" / NAME, 4, finalized=False)
    whole = path.stat().st_size
    with path.open("ab") as file:
        file.write(segmentfiles.fragment(5, start_unix_ns=segmentfiles.START_UNIX_NS)[:-7])
    torn = path.stat().st_size - whole
    salvage = recovery.salvage_match(folder, Manifest(match_id="m1", state="recording"))
    assert salvage.cut_bytes == {NAME: torn}
    assert salvage.failed == {}
    segment = salvage.manifest.segment(NAME)
    assert segment is not None
    assert (segment.fragments, segment.frames, segment.finalized) == (4, 40, True)
    assert scan.scan(path, checksums=True).finalized


def test_a_segment_without_loss_is_finished_and_nothing_is_said_to_be_cut(tmp_path: Path) -> None:
    folder = match(tmp_path)
    segmentfiles.write_segment(folder / "segments" / NAME, finalized=False)
    salvage = recovery.salvage_match(folder, Manifest(match_id="m1", state="recording"))
    assert salvage.cut_bytes == {}
    assert salvage.manifest.segments[0].finalized


def test_segments_that_somebody_writes_are_left_alone(tmp_path: Path) -> None:
    folder = match(tmp_path)
    path = segmentfiles.write_segment(folder / "segments" / NAME, finalized=False)
    before = path.read_bytes()
    recovery.salvage_match(folder, Manifest(match_id="m1", state="recording"), skip={NAME})
    assert path.read_bytes() == before


def test_files_that_are_not_ours_are_left_alone(tmp_path: Path) -> None:
    folder = match(tmp_path)
    foreign = folder / "segments" / "cam0_old.mp4"
    foreign.write_bytes(b"\0\0\0\x10ftypisom\0\0\0\0" + b"\0\0\0\x08mdat")
    before = foreign.read_bytes()
    salvage = recovery.salvage_match(folder, Manifest(match_id="m1", state="recording"))
    assert foreign.read_bytes() == before
    assert salvage.manifest.segments == ()


def test_a_file_that_cannot_be_read_is_named_and_the_others_are_mended(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = match(tmp_path)
    other = "cam1_20260211_220241_00.mp4"
    segmentfiles.write_segment(folder / "segments" / NAME, finalized=False)
    segmentfiles.write_segment(folder / "segments" / other, finalized=False)
    salvage_file = scan.salvage

    def failing(path: Path) -> SegmentScan:
        if path.name == NAME:
            raise OSError(5, "Input/output error")
        return salvage_file(path)

    monkeypatch.setattr(scan, "salvage", failing)
    salvage = recovery.salvage_match(folder, Manifest(match_id="m1", state="recording"))
    assert salvage.failed == {NAME: "Input/output error"}
    assert [segment.name for segment in salvage.manifest.segments] == [other]


@pytest.mark.parametrize("size_bytes", [0, 10, None], ids=["empty", "torn header", "header"])
def test_a_segment_that_never_got_a_picture_is_removed(
    tmp_path: Path, size_bytes: int | None
) -> None:
    """Its worker was killed, or the power failed, just after the file had been created."""
    folder = match(tmp_path)
    path = folder / "segments" / NAME
    path.write_bytes(segmentfiles.join([])[:size_bytes])
    salvage = recovery.salvage_match(folder, Manifest(match_id="m1", state="recording"))
    assert salvage == recovery.Salvage(Manifest(match_id="m1", state="recording"))
    assert not path.exists()


def test_a_segment_that_lost_all_its_footage_is_named_and_kept(tmp_path: Path) -> None:
    folder = match(tmp_path)
    path = folder / "segments" / NAME
    path.write_bytes(segmentfiles.join([]))
    listed = SegmentRecord(name=NAME, camera="cam0", index=0, fragments=3)
    manifest = Manifest(match_id="m1", state="recording", segments=(listed,))
    assert recovery.salvage_match(folder, manifest).failed == {NAME: "it has no complete fragment"}
    with path.open("ab") as file:
        file.truncate(40 << 20)  # more than the part of a picture
    salvage = recovery.salvage_match(folder, Manifest(match_id="m1", state="recording"))
    assert salvage.failed == {NAME: "it has no complete fragment"}
    assert path.exists()
