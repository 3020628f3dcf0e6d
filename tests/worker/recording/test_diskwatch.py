from __future__ import annotations

import errno
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from support.segments import order
from touchline.media.storage.disk import (
    ERROR,
    FULL,
    GONE,
    OK,
    READ_ONLY,
    SLOW,
    Disk,
    FolderIdentity,
)
from touchline.worker.recording.backlog import Backlog
from touchline.worker.recording.diskwatch import (
    FOLDER_AWAY_S,
    DiskWatch,
    RecordingClosed,
    text_of,
)
from touchline.worker.recording.ledger import RecordingLedger

MIB = 1 << 20


class PlayedDisk(Disk):
    """A disk that is as a test says."""

    def __init__(self) -> None:
        self.free = 1000 * MIB
        self.identity = FolderIdentity(1, 1)
        self.error: OSError | None = None
        self.mounted = True
        self.made: list[str] = []

    def place(self, path: str) -> FolderIdentity:
        del path
        if self.error is not None:
            raise self.error
        return self.identity

    def free_bytes(self, path: str) -> int:
        del path
        return self.free

    def is_mounted(self, point: str) -> bool:
        del point
        return self.mounted

    def make_folders(self, path: str) -> None:
        self.made.append(path)


class Rig:
    def __init__(self, folder: Path, **changed: object) -> None:
        self.now_ns = 10**12
        self.told: list[dict[str, Any]] = []
        self.disk = PlayedDisk()
        self.watch = DiskWatch(
            order(folder, **changed),
            self.disk,
            RecordingLedger(self.told.append),
            monotonic_ns=lambda: self.now_ns,
        )

    def states(self) -> list[str]:
        return [each["state"] for each in self.told]


@pytest.fixture
def rig(tmp_path: Path) -> Rig:
    return Rig(tmp_path, min_free_bytes=100 * MIB)


def refused(look: Callable[[], None]) -> int | None:
    with pytest.raises(OSError, match=r"mounted|directory|free") as caught:
        look()
    return caught.value.errno


def test_nothing_is_written_below_the_reserve(rig: Rig) -> None:
    rig.watch.look(MIB, elsewhere=True)
    rig.disk.free = 100 * MIB
    assert refused(lambda: rig.watch.look(MIB, elsewhere=True)) == errno.ENOSPC


def test_nothing_is_written_to_another_folder_at_the_same_path(rig: Rig) -> None:
    rig.watch.look(MIB, elsewhere=True)
    rig.disk.identity = FolderIdentity(2, 1)
    assert refused(lambda: rig.watch.look(MIB, elsewhere=False)) == errno.ENODEV
    rig.watch.look(MIB, elsewhere=True)  # another file may begin there
    rig.watch.look(MIB, elsewhere=False)


def test_nothing_is_written_beneath_a_disk_that_is_not_mounted(tmp_path: Path) -> None:
    rig = Rig(tmp_path, mount_point="/mnt/matches")
    rig.disk.mounted = False
    assert refused(lambda: rig.watch.look(0, elsewhere=True)) == errno.ENODEV
    rig.disk.mounted = True
    rig.watch.look(0, elsewhere=True)


def test_a_state_is_told_once_with_its_cause(rig: Rig) -> None:
    for _ in range(3):
        assert rig.watch.note(OSError(errno.ENOSPC, "No space left")) == FULL
    rig.watch.well()
    rig.watch.well()
    assert rig.states() == [FULL, OK]
    assert (rig.told[0]["errno"], rig.told[0]["error"]) == (errno.ENOSPC, "No space left")
    assert rig.watch.errno is None


@pytest.mark.parametrize(
    ("number", "identity", "state"),
    [
        (None, FolderIdentity(1, 1), ERROR),
        (None, FolderIdentity(2, 1), GONE),
        (errno.EROFS, FolderIdentity(1, 1), READ_ONLY),
        (errno.ENOENT, FolderIdentity(1, 1), GONE),
    ],
)
def test_an_unnamed_error_is_looked_into(
    rig: Rig, number: int | None, identity: FolderIdentity, state: str
) -> None:
    rig.watch.look(0, elsewhere=True)
    rig.disk.identity = identity
    rig.disk.error = OSError(number, "as ordered") if number is not None else None
    assert rig.watch.note(OSError(errno.EIO, "Input/output error")) == state


def test_a_disk_that_takes_its_time_is_slow_until_it_has_kept_up(rig: Rig) -> None:
    with rig.watch.measured():
        for _ in range(20):
            rig.now_ns += 100_000_000
            rig.watch.awake_ns()
        rig.watch.report_state()
    assert rig.states() == [SLOW]
    assert rig.watch.takes == OK, "it is slow, and accepts what is written"
    for _ in range(100):
        rig.now_ns += 100_000_000
        rig.watch.awake_ns()
    rig.watch.report_state()
    assert rig.states() == [SLOW, OK]


def test_a_removed_folder_is_made_again_after_a_while_on_the_right_disk(tmp_path: Path) -> None:
    rig = Rig(tmp_path, mount_point="/mnt/matches")
    gone = OSError(errno.ENOENT, "No such file or directory")
    rig.watch.recreate_folder(gone)
    rig.now_ns += round(FOLDER_AWAY_S * 1e9)
    rig.disk.mounted = False
    rig.watch.recreate_folder(gone)
    assert rig.disk.made == []
    rig.disk.mounted = True
    rig.watch.recreate_folder(gone)
    assert rig.disk.made == [str(tmp_path)]


def test_another_error_in_between_begins_the_wait_anew(rig: Rig) -> None:
    gone = OSError(errno.ENOENT, "No such file or directory")
    rig.watch.recreate_folder(gone)
    rig.now_ns += round(FOLDER_AWAY_S * 1e9)
    rig.watch.recreate_folder(OSError(errno.EIO, "Input/output error"))
    rig.watch.recreate_folder(gone)
    assert rig.disk.made == []


def test_whoever_closes_does_not_wait_for_the_disk(rig: Rig) -> None:
    backlog = Backlog()
    backlog.closing = True
    with pytest.raises(RecordingClosed):
        rig.watch.wait(OSError(errno.ENOSPC, "No space left"), backlog)
    assert rig.states() == [FULL]


@pytest.mark.parametrize(
    ("error", "text"),
    [
        (OSError(errno.EIO, "as ordered"), "as ordered"),
        (OSError("no number"), "no number"),
    ],
)
def test_an_error_is_told_in_its_words(error: OSError, text: str) -> None:
    assert text_of(error) == text
