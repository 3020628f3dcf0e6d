"""Making room: the oldest matches that nobody wants to keep go first, and no other."""

from __future__ import annotations

import threading
import time
from pathlib import Path

import anyio
import pytest

from support import segmentfiles
from support.libraryservices import trash_of
from support.recorders import removal
from touchline.capture.library.library import Library
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.processing.removal import Removal
from touchline.capture.recording.health import space
from touchline.core.errors import Refused

pytestmark = pytest.mark.anyio


def match(
    root: Path, match_id: str, *, age_s: float, protected: bool = False, number: int | None = None
) -> None:
    path = segmentfiles.write_segment(root / match_id / "segments" / "cam0_20260211_220241_00.mp4")
    segmentfiles.set_age(path, age_s, time.time())
    manifest = Manifest(match_id=match_id, state="finished", protected=protected, number=number)
    manifestfile.save(root / match_id, manifest)


def names(root: Path) -> set[str]:
    return {path.parent.name for path in root.glob("*/match.json")}


def nobody(match_id: str) -> bool:
    return False


def never() -> bool:
    """Footage is accepted."""
    return False


def make(
    root: Path,
    monkeypatch: pytest.MonkeyPatch,
    *,
    missing_bytes: int,
    running: str = "",
    remover: Removal | None = None,
) -> space.Space:
    """A space that lacks so many bytes; each match is as large as its files are."""
    monkeypatch.setattr(space, "_SPARE_BYTES", 0)
    library = Library(root, is_running=lambda match_id: match_id == running)
    it = space.Space(
        remover or removal(library, root),
        trash_of(root, library),
        root,
        floor_bytes=0,
        deletes_matches=True,
    )
    look = it._look

    def short() -> tuple[list[space._Found], int]:
        stored, _ = look()
        return stored, -missing_bytes

    monkeypatch.setattr(it, "_look", short)
    return it


async def test_the_oldest_match_goes_first_and_no_more_than_needed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    match(tmp_path, "old", age_s=900)
    match(tmp_path, "older", age_s=1000)
    match(tmp_path, "new", age_s=10)
    await make(tmp_path, monkeypatch, missing_bytes=1).make(nobody, never)
    assert names(tmp_path) == {"old", "new"}


async def test_a_match_recorded_at_1970_does_not_go_before_older_ones(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    match(tmp_path, "november", age_s=time.time() - 35, number=2)
    match(tmp_path, "september", age_s=60 * 86_400, number=1)
    await make(tmp_path, monkeypatch, missing_bytes=1).make(nobody, never)
    assert names(tmp_path) == {"november"}


async def test_a_match_in_processing_stays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    match(tmp_path, "waits", age_s=1000)
    match(tmp_path, "done", age_s=900)
    remover = removal(Library(tmp_path, is_running=nobody), tmp_path)
    await remover._jobs.add("archive", "waits")
    it = make(tmp_path, monkeypatch, missing_bytes=1 << 40, remover=remover)
    await it.make(nobody, never)
    assert names(tmp_path) == {"waits"}


async def test_with_room_enough_nothing_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    match(tmp_path, "old", age_s=900)
    await make(tmp_path, monkeypatch, missing_bytes=0).make(nobody, never)
    assert names(tmp_path) == {"old"}


async def test_where_a_quota_is_used_up_matches_go_one_at_a_time_until_footage_is_taken(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The filesystem says that there is room, and the worker that the disk is full."""
    monkeypatch.setattr(space, "_SETTLED_S", 0.02)
    for number in range(4):
        match(tmp_path, f"m{number}", age_s=1000 - number)
    match(tmp_path, "kept", age_s=2000, protected=True)
    it = make(tmp_path, monkeypatch, missing_bytes=0)
    await it.make(nobody, lambda: len(names(tmp_path)) > 3)
    assert names(tmp_path) == {"m2", "m3", "kept"}


async def test_a_refusal_that_is_over_by_now_deletes_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(space, "_SETTLED_S", 0.1)
    match(tmp_path, "old", age_s=900)
    asked = iter([True, True])
    it = make(tmp_path, monkeypatch, missing_bytes=0)
    await it.make(nobody, lambda: next(asked, False))
    assert names(tmp_path) == {"old"}


async def test_protected_and_running_matches_and_folders_without_footage_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    match(tmp_path, "protected", age_s=1000, protected=True)
    match(tmp_path, "running", age_s=900)
    match(tmp_path, "new", age_s=10)
    (tmp_path / ".hidden").mkdir()
    it = make(tmp_path, monkeypatch, missing_bytes=1 << 40, running="running")
    await it.make(lambda match_id: match_id == "running", never)
    assert names(tmp_path) == {"protected", "running"}
    assert (tmp_path / ".hidden").exists()


async def test_a_match_that_may_not_be_deleted_does_not_keep_the_next_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    match(tmp_path, "older", age_s=1000)
    match(tmp_path, "old", age_s=900)
    it = make(tmp_path, monkeypatch, missing_bytes=1 << 40)
    delete = Library.delete

    async def refuse(library: Library, match_id: str) -> object:
        if match_id == "older":
            raise Refused("it is being processed")
        return await delete(library, match_id)

    monkeypatch.setattr(Library, "delete", refuse)
    await it.make(nobody, never)
    assert names(tmp_path) == {"older"}


async def test_two_calls_at_once_delete_no_match_too_many(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for age_s in (1000, 900, 800):
        match(tmp_path, f"match-{age_s}", age_s=age_s)
    it = make(tmp_path, monkeypatch, missing_bytes=0)
    look = it._look
    sizes = [stored.size_bytes for stored in look()[0]]

    def one_is_missing() -> tuple[list[space._Found], int]:
        stored, _ = look()
        return stored, -1 if len(stored) == len(sizes) else 0

    monkeypatch.setattr(it, "_look", one_is_missing)
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(it.make, nobody, never)
        tasks.start_soon(it.make, nobody, never)
    assert names(tmp_path) == {"match-900", "match-800"}


async def test_a_match_of_a_newer_version_stays(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    match(tmp_path, "newer", age_s=1000)
    (tmp_path / "newer" / "match.json").write_text('{"format_version": 99}')
    match(tmp_path, "old", age_s=900)
    await make(tmp_path, monkeypatch, missing_bytes=1 << 40).make(nobody, never)
    assert names(tmp_path) == {"newer"}


async def test_files_that_come_and_go_meanwhile_do_not_keep_it_from_making_room(
    tmp_path: Path,
) -> None:
    match(tmp_path, "running", age_s=1)
    stop = threading.Event()

    def replace_its_manifest() -> None:
        manifest = manifestfile.load(tmp_path / "running")
        while not stop.is_set() and manifest is not None:
            manifestfile.save(tmp_path / "running", manifest)

    library = Library(tmp_path, is_running=lambda name: name == "running")
    keeper = space.Space(
        removal(library, tmp_path),
        trash_of(tmp_path, library),
        tmp_path,
        floor_bytes=1 << 60,
        deletes_matches=True,
    )
    thread = threading.Thread(target=replace_its_manifest)
    thread.start()
    try:
        for number in range(40):
            match(tmp_path, f"old {number}", age_s=1000)
            await keeper.make(lambda name: name == "running", never)
            assert names(tmp_path) == {"running"}
    finally:
        stop.set()
        thread.join()
