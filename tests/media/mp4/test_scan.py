from __future__ import annotations

import errno
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import segmentfiles
from support.walked import rescan
from touchline.media.mp4 import scan as mp4scan
from touchline.media.mp4 import writer
from touchline.media.mp4.sampletable import SampleTable
from touchline.media.mp4.walk import NotSegment, SegmentScan, Walk
from touchline.media.storage import disk
from touchline.media.storage.disk import Disk

FRAGMENTS = 4


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
    with pytest.raises(NotSegment, match="not a segment of touchline"):
        mp4scan.scan(path, checksums=True)
    with pytest.raises(NotSegment):
        mp4scan.salvage(path)


def test_a_missing_file_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError):
        mp4scan.scan(tmp_path / "nothing.mp4", checksums=False)


# ---------------------------------------------------------------------- damage


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


def test_salvage_leaves_a_segment_alone_that_another_process_is_writing(
    unfinished: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(disk, "_CLAIM_S", 0.1)
    before = unfinished.read_bytes()
    unfinished.unlink()
    writes = Disk().create(str(unfinished))
    os.write(writes, before)
    with pytest.raises(OSError, match="still writing") as refused:
        mp4scan.salvage(unfinished)
    assert refused.value.errno == errno.EBUSY
    assert unfinished.read_bytes() == before
    os.close(writes)  # as the kernel does when the process ends
    assert len(mp4scan.salvage(unfinished).fragments) == FRAGMENTS
    assert mp4scan.scan(unfinished, checksums=True).finalized


def test_a_process_that_is_being_killed_is_waited_for(unfinished: Path) -> None:
    before = unfinished.read_bytes()
    unfinished.unlink()
    writes = Disk().create(str(unfinished))
    os.write(writes, before)
    dies = threading.Timer(0.1, os.close, [writes])
    dies.start()
    assert len(mp4scan.salvage(unfinished).fragments) == FRAGMENTS
    dies.join()


def test_only_a_segment_without_footage_is_removed_as_empty(clean: Path) -> None:
    assert not mp4scan.remove_empty(clean)
    begun = clean.with_name("begun.mp4")
    begun.write_bytes(segmentfiles.join([]))
    assert mp4scan.remove_empty(begun)
    assert not begun.exists()


def test_a_file_that_is_removed_as_it_is_created_counts_as_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Else a worker would write into a file without a name."""
    path = tmp_path / "begun.mp4"
    monkeypatch.setattr(disk, "claim", lambda _: path.unlink())
    with pytest.raises(FileExistsError):
        Disk().create(str(path))
    monkeypatch.undo()
    os.close(Disk().create(str(path)))


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


def table_of(scan: SegmentScan, path: Path) -> SampleTable:
    """The sample table that the writer of the segment had in memory."""
    fd = os.open(path, os.O_RDONLY)
    try:
        walk = Walk(fd, str(path), checksums=False, keep_samples=True)
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
