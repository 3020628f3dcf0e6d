from __future__ import annotations

import os
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import segmentfiles
from support.wholematch import CAM0, CAM1, START, spans, verify
from touchline.capture.library.manifest.rescan import rescan
from touchline.capture.library.verification.integrity import verify_match
from touchline.capture.library.verification.segmentcheck import check_segment
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4.walk import SegmentScan

slow_disk = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


@slow_disk
@given(data=st.data())
def test_any_changed_byte_is_found_in_its_fragment(clean: Path, data: st.DataObject) -> None:
    original = (clean / "segments" / CAM0).read_bytes()
    at = data.draw(st.integers(0, len(original) - 1))
    flip = data.draw(st.integers(1, 255))
    places = spans(clean / "segments" / CAM0)
    damaged = bytearray(original)
    damaged[at] ^= flip
    try:
        (clean / "segments" / CAM0).write_bytes(damaged)
        report = verify(clean)
    finally:
        (clean / "segments" / CAM0).write_bytes(original)
    assert not report.ok
    assert {(fault.camera, fault.segment) for fault in report.faults} == {("cam0", CAM0)}
    assert all(fault.offset is not None for fault in report.faults)
    inside = [n for n, (start, end) in enumerate(places, 1) if start <= at < end]
    if inside:
        assert {fault.fragment for fault in report.faults} == set(inside)
    else:
        assert all(not fault.fragment for fault in report.faults)


@slow_disk
@given(data=st.data())
def test_any_truncation_is_found_where_the_file_ends(clean: Path, data: st.DataObject) -> None:
    original = (clean / "segments" / CAM1).read_bytes()
    size_bytes = data.draw(st.integers(0, len(original) - 1))
    checksums = data.draw(st.booleans())
    try:
        (clean / "segments" / CAM1).write_bytes(original[:size_bytes])
        report = verify(clean, checksums=checksums)
    finally:
        (clean / "segments" / CAM1).write_bytes(original)
    damaged = [fault for fault in report.faults if fault.segment == CAM1]
    assert damaged
    assert {fault.camera for fault in report.faults} == {"cam1"}
    assert any(fault.offset is not None and fault.offset <= size_bytes for fault in damaged)


def rewrite(path: Path, order: list[int]) -> None:
    """The file with its fragments in this order, ended as in the original."""
    data = path.read_bytes()
    places = spans(path)
    middle = b"".join(data[slice(*places[n - 1])] for n in order)
    path.write_bytes(data[: places[0][0]] + middle + data[places[-1][1] :])


@pytest.mark.parametrize("checksums", [True, False])
@pytest.mark.parametrize("removed", [1, 2, 3, 4, 5])
def test_a_removed_fragment_is_found(match: Path, removed: int, checksums: bool) -> None:  # noqa: FBT001
    rewrite(match / "segments" / CAM0, [n for n in range(1, 6) if n != removed])
    faults = verify(match, checksums=checksums).faults
    assert {fault.segment for fault in faults} == {CAM0}
    if removed < 5:
        assert {fault.fragment for fault in faults if fault.fragment} == {removed}
        assert f"found fragment {removed + 1} instead of fragment {removed}" in faults[0].what


@pytest.mark.parametrize("checksums", [True, False])
@pytest.mark.parametrize("order", [[2, 1, 3, 4, 5], [1, 4, 3, 2, 5], [1, 2, 2, 4, 5]])
def test_a_swapped_or_repeated_fragment_is_found(
    match: Path,
    order: list[int],
    checksums: bool,  # noqa: FBT001
) -> None:
    rewrite(match / "segments" / CAM0, order)
    faults = verify(match, checksums=checksums).faults
    assert faults
    wrong = next(n for n, found in enumerate(order, 1) if n != found)
    assert faults[0].fragment == wrong
    assert faults[0].offset is not None


def test_a_fragment_of_another_file_is_found(match: Path) -> None:
    path = match / "segments" / CAM0
    data = path.read_bytes()
    start, end = spans(path)[2]
    other = segmentfiles.fragment(3, start_unix_ns=START, seed=9)
    path.write_bytes(data[:start] + other + data[end:])
    assert not verify(match).ok


def test_a_listed_segment_that_is_gone_is_missing(match: Path) -> None:
    (match / "segments" / CAM1).unlink()
    codes = {(fault.code, fault.camera, fault.segment) for fault in verify(match).faults}
    assert ("segment_missing", "cam1", CAM1) in codes
    assert ("segment_not_found", "cam1", None) in codes


def test_a_whole_but_shorter_file_in_a_segments_place_is_found(match: Path) -> None:
    segmentfiles.write_segment(match / "segments" / CAM0, 4)
    (fault,) = verify(match).faults
    assert (fault.code, fault.segment) == ("not_as_listed", CAM0)
    assert "40 frames where the manifest counts 50" in str(fault)


def test_a_segment_that_became_something_else_is_found(match: Path) -> None:
    (match / "segments" / CAM0).write_bytes(os.urandom(5_000))
    assert ("not_as_listed", CAM0) in {(f.code, f.segment) for f in verify(match).faults}


def test_an_unfinished_segment_is_a_fault_at_the_end_of_its_last_fragment(match: Path) -> None:
    path = segmentfiles.write_segment(match / "segments" / CAM0, finalized=False)
    (fault,) = verify(match).faults
    assert (fault.code, fault.segment, fault.offset) == ("unfinalized", CAM0, path.stat().st_size)


def test_what_was_verified_is_not_read_again_until_its_size_changes(
    match: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    manifest = verify(match).add_to_manifest(rescan(match))
    assert [segment.verified for segment in manifest.segments] == [True, True]
    read: list[str] = []
    scan = mp4scan.scan

    def seen(path: Path, *, checksums: bool) -> SegmentScan:
        read.append(path.name)
        return scan(path, checksums=checksums)

    monkeypatch.setattr(mp4scan, "scan", seen)
    assert verify_match(match, manifest, checksums=False, trust_verified=True).ok
    assert read == []
    os.truncate(match / "segments" / CAM1, 1_000)
    assert not verify_match(match, manifest, checksums=False, trust_verified=True).ok
    assert read == [CAM1]


def test_a_file_too_short_to_be_told_apart_is_damaged(tmp_path: Path) -> None:
    (tmp_path / "segments").mkdir()
    (tmp_path / "segments" / CAM0).write_bytes(bytes(31))
    check = check_segment(tmp_path, CAM0, checksums=True)
    (fault,) = check.faults
    assert (fault.code, fault.offset) == ("damaged", 31)
    assert fault.what == "the file ends within its header"
    assert not check.foreign
