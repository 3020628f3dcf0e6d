from __future__ import annotations

import json
import threading
from pathlib import Path

import pytest

from touchline.capture.library import libraryrecord
from touchline.capture.library.libraryrecord import FILE_NAME, LibraryRecord
from touchline.capture.library.manifest.file import FILE_NAME as MANIFEST_NAME
from touchline.core.wallclock import Trust


def record_of(tmp_path: Path) -> LibraryRecord:
    record = LibraryRecord(tmp_path / "recordings", tmp_path / FILE_NAME)
    record.load()
    return record


def add_manifest(tmp_path: Path, name: str, text: str) -> None:
    folder = tmp_path / "recordings" / name
    folder.mkdir(parents=True)
    (folder / MANIFEST_NAME).write_text(text)


def next_of(record: LibraryRecord) -> int:
    number = record.next_number()
    record.save()
    return number


def test_numbers_rise_over_restarts(tmp_path: Path) -> None:
    assert [next_of(record_of(tmp_path)) for _ in range(3)] == [1, 2, 3]


@pytest.mark.parametrize("lost", ["", "{", "[]", '{"last_number": "many"}', None])
def test_a_record_that_is_lost_is_made_anew_from_the_manifests(
    tmp_path: Path, lost: str | None
) -> None:
    add_manifest(tmp_path, "cup", json.dumps({"number": 7}))
    add_manifest(tmp_path, "derby", json.dumps({"number": 3}))
    if lost is not None:
        (tmp_path / FILE_NAME).write_text(lost)
    assert record_of(tmp_path).next_number() == 8


@pytest.mark.parametrize("text", ["{", "[]", "{}", '{"number": "9"}', '{"number": true}'])
def test_manifests_that_cannot_be_read_count_for_nothing(tmp_path: Path, text: str) -> None:
    add_manifest(tmp_path, "damaged", text)
    (tmp_path / "recordings" / "a-file").touch()
    assert record_of(tmp_path).next_number() == 1


def test_the_record_outlives_the_matches_that_were_deleted(tmp_path: Path) -> None:
    add_manifest(tmp_path, "old", json.dumps({"number": 2}))
    (tmp_path / FILE_NAME).write_text(json.dumps({"last_number": 41}))
    assert record_of(tmp_path).next_number() == 42


def test_a_disk_that_refuses_the_record_refuses_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record = record_of(tmp_path)

    def full(path: Path, content: bytes) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as context:
        context.setattr(libraryrecord, "write_whole", full)
        assert (record.next_number(), record.next_number()) == (1, 2)
        with pytest.raises(OSError, match="No space"):
            record.save()
        assert not record.is_saved
    record.save()
    assert record_of(tmp_path).next_number() == 3


def test_a_disk_that_hangs_holds_up_no_number(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, may_write = record_of(tmp_path), threading.Event()

    def hangs(path: Path, content: bytes) -> None:
        assert may_write.wait(60)

    monkeypatch.setattr(libraryrecord, "write_whole", hangs)
    record.next_number()
    saving = threading.Thread(target=record.save)
    saving.start()
    try:
        assert record.next_number() == 2
        assert not record.is_saved
    finally:
        may_write.set()
        saving.join()


@pytest.mark.parametrize(
    ("dates", "newest"),
    [
        ([(5, "plausible")], 5),
        ([(5, "plausible"), (4, "plausible")], 5),
        ([(5, "plausible"), (9, "plausible")], 9),
        ([(5, "plausible"), (4, "synchronised")], 4),
        ([(5, "doubtful")], None),
        ([(5, "plausible"), (9, "doubtful")], 5),
    ],
)
def test_the_newest_date_that_was_believed_is_kept(
    tmp_path: Path, dates: list[tuple[int, Trust]], newest: int | None
) -> None:
    record = record_of(tmp_path)
    for unix_ns, trust in dates:
        record.note_date(unix_ns, trust)
    record.save()
    assert record.newest_unix_ns == record_of(tmp_path).newest_unix_ns == newest


def test_without_a_file_the_manifests_are_the_record(tmp_path: Path) -> None:
    add_manifest(tmp_path, "cup", json.dumps({"number": 7}))
    record = LibraryRecord(tmp_path / "recordings", None)
    assert record.newest_unix_ns is None
    assert (record.next_number(), record.next_number()) == (8, 9)
    assert [path.name for path in tmp_path.iterdir()] == ["recordings"]
