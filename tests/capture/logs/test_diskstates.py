"""What a disk's state means to people depends on the error that led to it."""

from __future__ import annotations

import errno
import os
from pathlib import Path

import pytest

from support.segments import order
from touchline.capture.logs.diskstates import MEANINGS, meaning_of
from touchline.media.storage.disk import ERROR, FULL, STATES, Disk, state_of
from touchline.worker.recording.diskwatch import DiskWatch
from touchline.worker.recording.ledger import RecordingLedger


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.EACCES, errno.EPERM])
def test_nobody_replaces_a_disk_for_want_of_descriptors_or_permission(number: int) -> None:
    meaning = meaning_of(state_of(OSError(number, os.strerror(number))), number)
    assert meaning.kind == "disk_error"
    assert "replace" not in meaning.to_do.lower()
    wanted = "LimitNOFILE" if number in {errno.EMFILE, errno.ENFILE} else "owner and mode"
    assert wanted in meaning.to_do


@pytest.mark.parametrize("number", [None, errno.EIO, 12345])
def test_any_other_error_is_the_disk_s(number: int | None) -> None:
    assert meaning_of(ERROR, number) is MEANINGS[ERROR]
    assert "replace" in meaning_of(ERROR, number).to_do


def test_the_other_states_have_one_meaning_each() -> None:
    assert set(MEANINGS) == {*STATES} - {"ok"}
    assert meaning_of(FULL, errno.EDQUOT) is MEANINGS[FULL]
    assert meaning_of("melted", None).issue == "Disk melted"


def test_a_worker_tells_the_number_of_the_error(tmp_path: Path) -> None:
    told: list[dict[str, object]] = []
    watch = DiskWatch(order(tmp_path), Disk(), RecordingLedger(told.append))
    watch.note(OSError(errno.EMFILE, "Too many open files"))
    watch.well()
    assert [(each["state"], each["errno"]) for each in told] == [
        (ERROR, errno.EMFILE), ("ok", None),
    ]  # fmt: skip
