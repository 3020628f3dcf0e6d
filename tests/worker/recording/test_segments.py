from __future__ import annotations

import errno
import os
from itertools import pairwise
from pathlib import Path

import pytest

from support.coded import FRAME_NS, START_NS, frames
from support.segments import fragments_of, open_segment, order
from touchline.media.mp4 import scan
from touchline.media.mp4.sample import TIMESCALE, ticks
from touchline.media.storage.disk import Disk
from touchline.worker.recording.segments import OpenSegment, SegmentNames


class FailsOnce(Disk):
    """Raises at the named operation, once; a failing write has written half."""

    def __init__(self, operation: str, number: int = errno.ENOSPC) -> None:
        self.operation: str | None = operation
        self.number = number

    def _fail(self, operation: str) -> None:
        if self.operation == operation:
            self.operation = None
            raise OSError(self.number, os.strerror(self.number))

    def write_all(self, fd: int, data: bytes, offset: int) -> None:
        if self.operation == "write":
            super().write_all(fd, data[: len(data) // 2], offset)
        self._fail("write")
        super().write_all(fd, data, offset)

    def sync(self, fd: int) -> None:
        self._fail("sync")
        super().sync(fd)

    def sync_directory(self, path: str) -> None:
        self._fail("sync_directory")
        super().sync_directory(path)


def test_names_count_up_and_may_change_their_label(tmp_path: Path) -> None:
    disk, names = Disk(), SegmentNames(order(tmp_path, first_index=7))
    made = [names.create(disk, None), names.create(disk, "20260211_230000")]
    made.append(names.create(disk, None))
    for fd, _, _ in made:
        os.close(fd)
    assert [(name, index) for _, name, index in made] == [
        ("cam0_20260211_220241_07.mp4", 7),
        ("cam0_20260211_230000_08.mp4", 8),
        ("cam0_20260211_230000_09.mp4", 9),
    ]


def test_a_number_beyond_99_has_three_digits(tmp_path: Path) -> None:
    fd, name, _ = SegmentNames(order(tmp_path, first_index=100)).create(Disk(), None)
    os.close(fd)
    assert name == "cam0_20260211_220241_100.mp4"


@pytest.mark.parametrize("operation", ["write", "sync", "sync_directory"])
def test_a_segment_that_cannot_be_created_leaves_no_file_and_no_number_used(
    tmp_path: Path, operation: str
) -> None:
    names, first = SegmentNames(order(tmp_path)), frames(1, gop=1)[0]
    with pytest.raises(OSError, match="No space left"):
        OpenSegment.create(FailsOnce(operation), names, None, first)
    assert list(tmp_path.iterdir()) == []
    segment = OpenSegment.create(Disk(), names, None, first)
    segment.abandon()
    assert segment.info["name"] == "cam0_20260211_220241_00.mp4"


@pytest.mark.parametrize("operation", ["write", "sync"])
def test_a_fragment_that_fails_leaves_the_file_as_it_was_and_can_be_tried_again(
    tmp_path: Path, operation: str
) -> None:
    sent = frames(12, gop=6)
    disk = FailsOnce("nothing")
    segment = open_segment(tmp_path, sent[0], disk)
    (one, end_one), (two, end_two) = fragments_of(sent)
    segment.append(one, end_one)
    path = tmp_path / str(segment.info["name"])
    before = path.read_bytes()
    disk.operation = operation
    with pytest.raises(OSError, match="No space left"):
        segment.append(two, end_two)
    assert path.read_bytes() == before
    assert segment.info["frames"] == 6
    segment.append(two, end_two)
    segment.finish()
    found = scan.scan(path, checksums=True)
    assert (found.frames, found.faults, found.finalized) == (12, (), True)


@pytest.mark.parametrize("operation", ["write", "sync"])
def test_finishing_that_fails_leaves_a_valid_file_and_can_be_tried_again(
    tmp_path: Path, operation: str
) -> None:
    sent = frames(12, gop=6)
    disk = FailsOnce("nothing")
    segment = open_segment(tmp_path, sent[0], disk)
    for part, end in fragments_of(sent):
        segment.append(part, end)
    path = tmp_path / str(segment.info["name"])
    before = path.read_bytes()
    disk.operation = operation
    with pytest.raises(OSError, match="No space left"):
        segment.finish()
    assert path.read_bytes() == before
    assert not segment.info["finalized"]
    segment.finish()
    assert segment.info["finalized"]
    assert segment.info["size_bytes"] == path.stat().st_size
    assert scan.scan(path, checksums=True).finalized


def test_what_the_server_is_told_is_what_is_in_the_file(tmp_path: Path) -> None:
    sent = frames(20, gop=10)
    segment = open_segment(tmp_path, sent[0])
    assert segment.info["frames"] == 0
    for part, end in fragments_of(sent):
        segment.append(part, end)
        path = tmp_path / str(segment.info["name"])
        found = scan.scan(path, checksums=True)
        assert segment.info["frames"] == found.frames
        assert segment.info["fragments"] == len(found.fragments)
        assert segment.info["size_bytes"] == found.size_bytes == path.stat().st_size
        assert found.start_unix_ns == segment.info["start_unix_ns"]
    unix_ns = 1_770_000_000_000_000_000 + START_NS
    assert segment.info["start_unix_ns"] == unix_ns
    assert segment.info["end_unix_ns"] == unix_ns + 20 * FRAME_NS
    segment.abandon()


def test_a_long_segment_does_not_drift(tmp_path: Path) -> None:
    """Frames of 1/30 s, which no clock tick divides: after an hour the end is still right."""
    count, period = 30 * 3600, 1e9 / 30
    tick = [ticks(round(n * period)) for n in range(count + 1)]
    durations = [b - a for a, b in pairwise(tick)]
    assert set(durations) == {3000}
    assert sum(durations) == 3600 * TIMESCALE


def test_a_discarded_segment_leaves_no_file(tmp_path: Path) -> None:
    segment = open_segment(tmp_path, frames(1, gop=1)[0])
    segment.discard()
    assert list(tmp_path.iterdir()) == []


def test_a_segment_whose_file_was_removed_can_still_be_discarded(tmp_path: Path) -> None:
    segment = open_segment(tmp_path, frames(1, gop=1)[0])
    (tmp_path / str(segment.info["name"])).unlink()
    segment.discard()
    assert list(tmp_path.iterdir()) == []
