from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from support import segmentfiles
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4 import writer
from touchline.media.mp4.scan import SegmentScan
from touchline.media.storage.disk import Disk

FRAGMENTS = 4
many = settings(
    max_examples=150,
    deadline=None,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)


@pytest.fixture(params=[True, False], ids=["finished", "open"])
def clean(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "clean.mp4"
    return segmentfiles.write_segment(path, FRAGMENTS, finalized=request.param, frame_bytes=20)


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    return segmentfiles.write_segment(tmp_path / "finished.mp4", FRAGMENTS, frame_bytes=20)


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    path = tmp_path / "unfinished.mp4"
    return segmentfiles.write_segment(path, FRAGMENTS, finalized=False, frame_bytes=20)


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


# ------------------------------------------------------------------- a clean file


def test_a_clean_segment_has_no_fault_and_says_what_is_in_it(clean: Path) -> None:
    found = mp4scan.scan(clean, checksums=True)
    assert found.faults == ()
    assert found.finalized == (writer.FREE not in clean.read_bytes()[:64])
    assert (found.width, found.height) == (1920, 1080)
    assert [f.sequence for f in found.fragments] == [1, 2, 3, 4]
    assert found.frames == FRAGMENTS * segmentfiles.FRAMES_A_FRAGMENT
    assert found.start_unix_ns == segmentfiles.START_UNIX_NS
    assert found.duration_ns == pytest.approx(FRAGMENTS * 400_000_000, abs=20_000)
    assert all(f.keyframe for f in found.fragments)
    assert found == mp4scan.scan(clean, checksums=False)


def test_fragments_lie_end_to_end(clean: Path) -> None:
    found = mp4scan.scan(clean, checksums=False)
    at = found.fragments[0].offset
    for fragment in found.fragments:
        assert fragment.offset == at
        at += fragment.size_bytes
    assert found.good_bytes == at


def test_a_plain_mp4_is_not_ours(tmp_path: Path) -> None:
    path = tmp_path / "plain.mp4"
    path.write_bytes(b"\0\0\0\x18ftypmp42" + bytes(5000))
    with pytest.raises(mp4scan.NotSegment, match="not a segment of ours"):
        mp4scan.scan(path, checksums=True)
    with pytest.raises(mp4scan.NotSegment):
        mp4scan.salvage(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        mp4scan.scan(tmp_path / "nothing.mp4", checksums=False)


# ---------------------------------------------------------------------- damage


def test_every_changed_byte_is_found_and_located(clean: Path) -> None:
    """Exhaustive: each byte of the file, all of its bits at once."""
    whole = mp4scan.scan(clean, checksums=True)
    original = clean.read_bytes()
    for at in range(len(original)):
        damaged = bytearray(original)
        damaged[at] ^= 0xFF
        found = rescan(clean, damaged)
        assert found.faults, f"byte {at} of {len(original)} was changed and nobody saw it"
        assert_located(whole, found, at)


@many
@given(place=st.floats(0, 1, exclude_max=True), flip=st.integers(1, 255))
def test_any_change_of_a_byte_is_found_and_located(clean: Path, place: float, flip: int) -> None:
    whole = mp4scan.scan(clean, checksums=True)
    assert not whole.faults
    original = clean.read_bytes()
    at = int(place * len(original))
    damaged = bytearray(original)
    damaged[at] ^= flip
    try:
        found = rescan(clean, damaged)
        assert found.faults, f"byte {at} of {len(original)}, flip {flip:#x}"
        assert_located(whole, found, at)
    finally:
        clean.write_bytes(original)


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


def test_each_single_bit_of_a_fragments_header_is_watched(clean: Path) -> None:
    """A `moof` is one flipped bit away from a `moov`, which would end the file."""
    whole = mp4scan.scan(clean, checksums=True)
    original = clean.read_bytes()
    for fragment in (whole.fragments[0], whole.fragments[-1]):
        for at in range(fragment.offset, fragment.offset + writer.MOOF_BYTES):
            for bit in range(8):
                damaged = bytearray(original)
                damaged[at] ^= 1 << bit
                found = rescan(clean, damaged)
                assert_located(whole, found, at)
                assert found.faults


def test_every_truncation_is_found(finished: Path) -> None:
    original = finished.read_bytes()
    for length in range(len(original)):
        found = rescan(finished, original[:length])
        assert found.faults, f"cut to {length} of {len(original)} bytes and nobody saw it"
        assert not found.finalized


def test_a_truncation_of_an_open_segment_is_found_unless_it_falls_between_fragments(
    unfinished: Path,
) -> None:
    whole = mp4scan.scan(unfinished, checksums=True)
    between = {whole.fragments[0].offset, *(f.offset + f.size_bytes for f in whole.fragments)}
    original = unfinished.read_bytes()
    for length in range(len(original)):
        found = rescan(unfinished, original[:length])
        assert bool(found.faults) == (length not in between), length
        kept = [f for f in whole.fragments if f.offset + f.size_bytes <= length]
        assert list(found.fragments) == kept
        if found.faults and length > whole.fragments[0].offset:
            assert found.faults[0].fragment == len(kept) + 1
            assert found.faults[0].offset == length


def test_bytes_that_follow_a_finished_segment_are_found(finished: Path) -> None:
    for extra in (b"\0", bytes(100), segmentfiles.fragment(5, start_unix_ns=0)):
        assert rescan(finished, finished.read_bytes() + extra).faults


def test_a_fragment_taken_out_of_the_middle_is_missed(clean: Path) -> None:
    whole = mp4scan.scan(clean, checksums=True)
    gone = whole.fragments[1]
    data = clean.read_bytes()
    found = rescan(clean, data[: gone.offset] + data[gone.offset + gone.size_bytes :])
    assert 2 in {fault.fragment for fault in found.faults}


def test_two_fragments_exchanged_are_found(unfinished: Path) -> None:
    parts = [segmentfiles.fragment(n, start_unix_ns=0) for n in (1, 3, 2, 4)]
    found = rescan(unfinished, segmentfiles.join(parts))
    assert found.faults
    assert found.faults[0].fragment == 2


def test_damage_over_several_fragments_costs_only_those(clean: Path) -> None:
    whole = mp4scan.scan(clean, checksums=True)
    damaged = bytearray(clean.read_bytes())
    second, third = whole.fragments[1:3]
    damaged[second.offset : third.offset + 100] = bytes(third.offset + 100 - second.offset)
    found = rescan(clean, damaged)
    assert {fault.fragment for fault in found.faults} == {2, 3}
    assert [f.sequence for f in found.fragments] == [1, 4]
    assert found.finalized == whole.finalized


def test_without_checksums_the_structure_is_still_checked(clean: Path) -> None:
    whole = mp4scan.scan(clean, checksums=False)
    second = whole.fragments[1]
    damaged = bytearray(clean.read_bytes())
    damaged[second.offset + second.size_bytes - 100] ^= 1  # a byte of a picture
    clean.write_bytes(damaged)
    assert mp4scan.scan(clean, checksums=False).faults == ()
    damaged[second.offset + 4] ^= 1
    clean.write_bytes(damaged)
    assert [f.fragment for f in mp4scan.scan(clean, checksums=False).faults] == [2]


def test_a_header_that_claims_millions_of_frames_is_not_believed(unfinished: Path) -> None:
    rows = 50_000_000
    moof = writer._MOOF.pack(*writer._moof_fields(1, 0, rows))
    found = rescan(unfinished, segmentfiles.join([moof, bytes(5000)]))
    assert [f.what for f in found.faults] == ["a fragment's header is damaged"]


# --------------------------------------------------------------------- salvage


def test_salvage_makes_any_rest_of_a_segment_whole_again(unfinished: Path) -> None:
    whole = mp4scan.scan(unfinished, checksums=True)
    original = unfinished.read_bytes()
    first_end = whole.fragments[0].offset + whole.fragments[0].size_bytes
    for length in range(first_end, len(original), 7):
        unfinished.write_bytes(original[:length])
        before = mp4scan.salvage(unfinished)
        after = mp4scan.scan(unfinished, checksums=True)
        kept = tuple(f for f in whole.fragments if f.offset + f.size_bytes <= length)
        assert before.fragments == after.fragments == kept
        assert after.finalized
        assert after.faults == ()


def test_salvage_again_changes_nothing(unfinished: Path) -> None:
    os.truncate(unfinished, unfinished.stat().st_size - 10)
    mp4scan.salvage(unfinished)
    once = unfinished.read_bytes()
    found = mp4scan.salvage(unfinished)
    assert unfinished.read_bytes() == once
    assert found.finalized
    assert found.faults == ()


def test_salvage_leaves_a_finished_segment_as_it_is(finished: Path) -> None:
    before = finished.read_bytes()
    mp4scan.salvage(finished)
    assert finished.read_bytes() == before


def test_salvage_leaves_a_file_without_a_whole_fragment_as_it_is(unfinished: Path) -> None:
    first = mp4scan.scan(unfinished, checksums=True).fragments[0]
    for length in (0, 10, 40, first.offset, first.offset + first.size_bytes - 1):
        unfinished.write_bytes(unfinished.read_bytes()[:length])
        assert mp4scan.salvage(unfinished).fragments == ()
        assert unfinished.stat().st_size == min(length, unfinished.stat().st_size)


class Crash(Exception):
    """The power went."""


class DiesAfter(Disk):
    """Loses power after so many operations."""

    def __init__(self, operations: int) -> None:
        self.left = operations

    def _one(self) -> None:
        if not self.left:
            raise Crash
        self.left -= 1

    def write_all(self, fd: int, data: bytes, offset: int) -> None:
        self._one()
        super().write_all(fd, data, offset)

    def sync(self, fd: int) -> None:
        self._one()
        super().sync(fd)


def crashed_while_finishing(path: Path) -> Iterator[tuple[int, Path]]:
    """Copies of an open segment whose finishing was cut off after 0, 1, 2 and 3 operations."""
    scan = mp4scan.scan(path, checksums=True)
    for operations in range(4):
        copy = path.with_name(f"crash{operations}.mp4")
        shutil.copy(path, copy)
        table = table_of(scan, path)
        fd = os.open(copy, os.O_RDWR)
        try:
            with pytest.raises(Crash):
                mp4scan.finish(
                    DiesAfter(operations), fd, table, scan.good_bytes, len(scan.fragments) + 1
                )
        finally:
            os.close(fd)
        yield operations, copy


def table_of(scan: SegmentScan, path: Path) -> writer.SampleTable:
    """The sample table that the writer of the segment had in memory."""
    fd = os.open(path, os.O_RDONLY)
    try:
        walk = mp4scan._Walk(fd, str(path), checksums=False, keep_samples=True)
        assert walk.run().fragments == scan.fragments
    finally:
        os.close(fd)
    assert walk.table is not None
    return walk.table


def test_a_crash_at_any_moment_of_finishing_loses_nothing(unfinished: Path) -> None:
    whole = mp4scan.scan(unfinished, checksums=True)
    for operations, path in crashed_while_finishing(unfinished):
        found = mp4scan.scan(path, checksums=True)
        assert found.faults == ()
        assert found.fragments == whole.fragments
        assert found.finalized == (operations == 3)
        mp4scan.salvage(path)
        after = mp4scan.scan(path, checksums=True)
        assert (after.finalized, after.faults) == (True, ())
        assert after.fragments == whole.fragments


def test_tables_that_were_half_written_are_said_and_mended(unfinished: Path) -> None:
    whole = mp4scan.scan(unfinished, checksums=True)
    open_bytes = unfinished.read_bytes()
    mp4scan.salvage(unfinished)
    tables = unfinished.read_bytes()[len(open_bytes) :]
    for length in range(1, len(tables), 5):
        found = rescan(unfinished, open_bytes + tables[:length])
        assert not found.finalized
        assert found.faults
        assert found.fragments == whole.fragments
        mp4scan.salvage(unfinished)
        after = mp4scan.scan(unfinished, checksums=True)
        assert (after.finalized, after.faults) == (True, ())


def test_the_header_is_switched_only_after_the_tables_are_on_the_disk(unfinished: Path) -> None:
    calls: list[str] = []

    class Noting(Disk):
        def write_all(self, fd: int, data: bytes, offset: int) -> None:
            calls.append("tables" if offset > 100 else "header")
            super().write_all(fd, data, offset)

        def sync(self, fd: int) -> None:
            calls.append("sync")
            super().sync(fd)

    scan = mp4scan.scan(unfinished, checksums=True)
    fd = os.open(unfinished, os.O_RDWR)
    try:
        mp4scan.finish(Noting(), fd, table_of(scan, unfinished), scan.good_bytes, 5)
    finally:
        os.close(fd)
    assert calls == ["tables", "sync", "header", "sync"]


def test_damage_in_the_middle_survives_salvage_as_a_fault_and_costs_no_more(
    unfinished: Path,
) -> None:
    whole = mp4scan.scan(unfinished, checksums=True)
    second = whole.fragments[1]
    damaged = bytearray(unfinished.read_bytes())
    damaged[second.offset + 30] ^= 1
    unfinished.write_bytes(damaged)
    mp4scan.salvage(unfinished)
    after = mp4scan.scan(unfinished, checksums=True)
    assert after.finalized
    assert {fault.fragment for fault in after.faults} == {2}
    assert [f.sequence for f in after.fragments] == [1, 3, 4]


def test_a_finished_segment_that_lost_its_tables_is_mended(finished: Path) -> None:
    whole = mp4scan.scan(finished, checksums=True)
    os.truncate(finished, finished.stat().st_size - 100)
    assert not mp4scan.scan(finished, checksums=True).finalized
    mp4scan.salvage(finished)
    assert mp4scan.scan(finished, checksums=True) == whole
