"""The trash on disk: what is moved in comes out whole, and nothing planted is taken for a match."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from support.recordings import CAM0, write
from touchline.capture.library.trash import entries

DELETED_S = 1_795_000_000.125


def deleted(root: Path, match_id: str, unix_s: float | None = DELETED_S) -> entries.TrashEntry:
    write(root / match_id / "segments" / CAM0, 10)
    place = entries.new_place(root, match_id, unix_s)
    (root / match_id).rename(place)
    return entries.entry_at(place, unix_s)


def test_what_was_moved_in_is_listed_and_moves_out_whole(root: Path) -> None:
    entry = deleted(root, "SV Süd 1")
    assert entries.entries_in(root) == [entry]
    assert (entry.match_id, entry.deleted_unix_s) == ("SV Süd 1", DELETED_S)
    entries.move_to(entry, root / "SV Süd 1")
    assert (root / "SV Süd 1" / "segments" / CAM0).stat().st_size == 10
    assert entries.entries_in(root) == []
    assert list((root / entries.FOLDER).iterdir()) == []


def test_the_longest_deleted_is_first_and_one_without_a_date_last(root: Path) -> None:
    for match_id, unix_s in (("b", 1.002), ("none", None), ("a", 1.001)):
        deleted(root, match_id, unix_s)
    assert [entry.match_id for entry in entries.entries_in(root)] == ["a", "b", "none"]


def test_the_same_id_can_be_there_twice(root: Path) -> None:
    first, second = deleted(root, "m1", 1), deleted(root, "m1", 1)
    assert first.entry_id != second.entry_id
    assert len(entries.entries_in(root)) == 2


def test_a_name_that_takes_all_bytes_fits(root: Path) -> None:
    entry = deleted(root, "x" * 255)
    assert entries.entries_in(root) == [entry]


def test_what_a_crash_left_empty_is_removed_and_nothing_else(root: Path) -> None:
    kept = deleted(root, "m1")
    entries.new_place(root, "m2", DELETED_S)
    write(root / entries.FOLDER / "notes.txt", 1)
    assert entries.remove_empty(root) == 1
    assert entries.entries_in(root) == [kept]
    assert (root / entries.FOLDER / "notes.txt").exists()


def test_a_planted_link_is_neither_listed_nor_written_through(root: Path, tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    write(outside / f"1~{'0' * 16}" / "m1" / "segments" / CAM0)
    (root / entries.FOLDER).symlink_to(outside)
    assert entries.entries_in(root) == []
    with pytest.raises(OSError, match="not a directory"):
        entries.new_place(root, "m2", DELETED_S)
    (root / entries.FOLDER).unlink()
    trash = root / entries.FOLDER
    trash.mkdir()
    (trash / f"1~{'0' * 16}").symlink_to(outside / f"1~{'0' * 16}")
    (trash / f"2~{'1' * 16}").mkdir()
    (trash / f"2~{'1' * 16}" / "m1").symlink_to(outside)
    for name in ("x", "1~short", "~" + "0" * 16, "999999999999999~" + "0" * 16):
        write(trash / name / "m1" / "segments" / CAM0)
    assert entries.entries_in(root) == []


def test_a_match_is_never_moved_over_another(root: Path) -> None:
    entry = deleted(root, "m1")
    (root / "m1").mkdir()
    with pytest.raises(FileExistsError):
        entries.move_to(entry, root / "m1")
    assert entries.entries_in(root) == [entry]


def test_a_match_that_begins_at_that_instant_keeps_its_folder(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Bug: the folder was replaced by the match from the trash as long as it was empty."""
    entry = deleted(root, "m1")
    mkdir = Path.mkdir

    def begun(path: Path, *arguments: Any, **options: Any) -> None:
        monkeypatch.undo()
        mkdir(root / "m1")
        mkdir(path, *arguments, **options)

    monkeypatch.setattr(Path, "mkdir", begun)
    with pytest.raises(FileExistsError):
        entries.move_to(entry, root / "m1")
    assert list((root / "m1").iterdir()) == []
    assert entries.entries_in(root) == [entry]


def test_a_match_that_begins_where_another_is_being_restored_has_the_name(
    root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = deleted(root, "m1")
    rename = Path.rename

    def begun(path: Path, target: Path) -> Path:
        write(target / "segments" / CAM0, 3)
        return rename(path, target)

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", begun)
        with pytest.raises(OSError, match="not empty"):
            entries.move_to(entry, root / "m1")
    assert (root / "m1" / "segments" / CAM0).stat().st_size == 3
    assert entries.entries_in(root) == [entry]


def test_a_move_that_fails_leaves_no_folder(root: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    entry = deleted(root, "m1")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", lambda *_: (root / "away").rmdir())
        with pytest.raises(FileNotFoundError):
            entries.move_to(entry, root / "m1")
    assert not (root / "m1").exists()
    entries.move_to(entry, root / "m1")
    assert (root / "m1" / "segments" / CAM0).exists()


def test_an_entry_gets_another_date(root: Path) -> None:
    entry = entries.dated(deleted(root, "m1", None), DELETED_S)
    assert entries.entries_in(root) == [entry]
    assert entry.deleted_unix_s == DELETED_S
