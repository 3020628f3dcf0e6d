"""A match in the trash comes back whole, or goes for good when its days are over."""

from __future__ import annotations

import errno
import os
import shutil
from pathlib import Path
from typing import Any

import anyio
import pytest

from support.fakeengines import MemoryEvents
from support.libraryservices import trash_of
from support.recordings import CAM0, recordings, write
from touchline.capture.library.details import DetailsStore
from touchline.capture.library.library import Library
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.detailsfile import Details
from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.library.trash import trash as module
from touchline.capture.library.trash.entries import FOLDER
from touchline.capture.library.trash.trash import Trash
from touchline.core.errors import Failed, NotFound, Refused

pytestmark = pytest.mark.anyio

NOW_S = 1_796_000_000.0
DAY_S = 86_400.0


class Bin:
    """A library with a trash, and a clock that a test sets."""

    def __init__(self, root: Path, *, kept_days: int = 7) -> None:
        self.root = root
        self.now_s: float | None = NOW_S
        self.running: set[str] = set()
        self.events = MemoryEvents()
        self.library = Library(root, is_running=lambda match_id: match_id in self.running)
        self.trash = self.opened(kept_days)

    def opened(self, kept_days: int = 7) -> Trash:
        """The trash as another server sees it."""
        return trash_of(
            self.root,
            self.library,
            events=self.events,
            kept_days=kept_days,
            read_date=lambda: self.now_s,
        )

    def record(self, match_id: str, size_bytes: int = 10, **facts: Any) -> None:
        write(self.root / match_id / "segments" / CAM0, size_bytes)
        manifest = Manifest(match_id=match_id, state="finished", **facts)
        manifestfile.save(self.root / match_id, manifest)

    async def ids(self) -> list[str]:
        return [each["match_id"] for each in (await self.trash.list())["matches"]]

    def categories(self) -> list[str]:
        return [event.category for event in self.events.kept]


async def never() -> bool:
    """There is never enough space."""
    return False


@pytest.fixture
def it(root: Path) -> Bin:
    return Bin(root)


async def test_a_match_is_moved_to_the_trash_and_comes_back_whole(it: Bin) -> None:
    it.record("m1")
    await DetailsStore(it.library).put("m1", Details(home="SV Süd"))
    moved = await it.trash.put("m1")
    assert (moved["status"], moved["match_id"], moved["days_left"]) == ("trashed", "m1", 7)
    assert (moved["deleted_at"], moved["expires_at"]) == (NOW_S, NOW_S + 7 * DAY_S)
    assert moved["details"] is not None
    assert moved["details"]["home"] == "SV Süd"
    assert await recordings(it.library) == {}
    with pytest.raises(NotFound):
        await it.library.folder("m1")

    listed = await it.trash.list()
    (match,) = listed["matches"]
    assert (match["id"], match["size_bytes"]) == (moved["id"], listed["size_bytes"])
    assert listed["size_bytes"] > 10

    restored = await it.trash.restore(moved["id"])
    assert restored == {"status": "restored", "id": moved["id"], "match_id": "m1"}
    assert set(await recordings(it.library)) == {"m1"}
    assert (await DetailsStore(it.library).get("m1"))["home"] == "SV Süd"
    assert await it.ids() == []
    assert it.categories() == ["trashed", "restored"]
    assert {event.ids["match_id"] for event in it.events.kept} == {"m1"}


async def test_a_match_can_be_named_by_its_id_and_the_last_deleted_is_meant(it: Bin) -> None:
    for size_bytes in (1, 2):
        it.record("m1", size_bytes)
        await it.trash.put("m1")
        assert it.now_s is not None
        it.now_s += 1
    await it.trash.restore("m1")
    assert (it.root / "m1" / "segments" / CAM0).stat().st_size == 2
    assert await it.ids() == ["m1"]


async def test_where_its_id_is_taken_a_match_comes_back_under_another(it: Bin) -> None:
    it.record("m1", 1)
    await it.trash.put("m1")
    it.record("m1", 2)
    it.running = {"m1_2"}  # nothing of it is on the disk yet
    assert (await it.trash.restore("m1"))["match_id"] == "m1_3"
    assert (it.root / "m1" / "segments" / CAM0).stat().st_size == 2
    assert (it.root / "m1_3" / "segments" / CAM0).stat().st_size == 1
    manifest = manifestfile.load(it.root / "m1_3")
    assert manifest is not None
    assert manifest.match_id == "m1_3"


async def test_where_no_name_is_free_a_match_stays_in_the_trash(it: Bin) -> None:
    name = "x" * 255
    it.record(name)
    await it.trash.put(name)
    it.record(name)
    with pytest.raises(Refused) as raised:
        await it.trash.restore(name)
    assert raised.value.code == "match_exists"
    assert await it.ids() == [name]


@pytest.mark.parametrize("match_id", ["absent", "..", ".", "", ".trash", "m1/segments"])
async def test_what_is_no_match_is_not_moved(it: Bin, match_id: str) -> None:
    it.record("m1")
    with pytest.raises(NotFound):
        await it.trash.put(match_id)
    assert await it.ids() == []


@pytest.mark.parametrize("entry_id", ["absent", "..", "../m1", "", "0" * 16, "m1\0"])
async def test_what_is_not_in_the_trash_is_neither_restored_nor_deleted(
    it: Bin, entry_id: str
) -> None:
    it.record("m1")
    with pytest.raises(NotFound):
        await it.trash.restore(entry_id)
    with pytest.raises(NotFound):
        await it.trash.purge(entry_id)
    assert set(await recordings(it.library)) == {"m1"}


async def test_the_running_and_a_protected_match_are_refused(it: Bin) -> None:
    it.record("now")
    it.record("kept", protected=True)
    it.running = {"now"}
    for match_id, code in (("now", "match_running"), ("kept", "match_protected")):
        with pytest.raises(Refused) as raised:
            await it.trash.put(match_id)
        assert raised.value.code == code
    assert set(await recordings(it.library)) == {"now", "kept"}
    assert it.categories() == []


async def test_without_a_trash_nothing_is_deleted_instead(root: Path) -> None:
    it = Bin(root, kept_days=0)
    it.record("m1")
    with pytest.raises(Refused) as raised:
        await it.trash.put("m1")
    assert raised.value.code == "no_trash"
    assert set(await recordings(it.library)) == {"m1"}


async def test_what_was_there_before_the_trash_was_switched_off_expires(it: Bin) -> None:
    it.record("m1")
    await it.trash.put("m1")
    it.now_s = None
    await it.opened(kept_days=0).expire()
    assert await it.ids() == []


async def test_a_match_is_deleted_for_good(it: Bin) -> None:
    it.record("m1", 3 << 20)
    it.record("m2")
    for match_id in ("m1", "m2"):
        await it.trash.put(match_id)
    purged = await it.trash.purge("m1")
    assert (purged["status"], purged["matches"]) == ("deleted", ["m1"])
    assert (purged["files_deleted"], purged["size_mb_freed"]) == (2, 3.0)
    assert await it.ids() == ["m2"]
    assert it.events.kept[-1].details["reason"] == "asked"


async def test_the_trash_is_emptied(it: Bin) -> None:
    it.record("kept")
    for match_id in ("m1", "m2"):
        it.record(match_id)
        await it.trash.put(match_id)
    assert set((await it.trash.empty())["matches"]) == {"m1", "m2"}
    assert (await it.trash.empty())["matches"] == []
    assert [path.name for path in it.root.iterdir() if path.name != FOLDER] == ["kept"]


async def test_a_match_expires_after_its_days_and_not_before(it: Bin) -> None:
    it.record("m1")
    await it.trash.put("m1")
    it.now_s = NOW_S + 7 * DAY_S - 1
    await it.trash.expire()
    (match,) = (await it.trash.list())["matches"]
    assert match["days_left"] == 1
    it.now_s = NOW_S + 7 * DAY_S
    await it.opened().expire()
    assert await it.ids() == []
    assert it.events.kept[-1].details["reason"] == "expired"


@pytest.mark.parametrize("at_deletion_s", [None, 35.0, NOW_S + 90 * DAY_S])
async def test_an_implausible_date_deletes_nothing_and_the_days_begin_with_a_good_one(
    it: Bin, at_deletion_s: float | None
) -> None:
    it.record("m1")
    it.now_s = at_deletion_s
    await it.trash.put("m1")
    it.now_s = None
    await it.trash.expire()
    assert [each["days_left"] for each in (await it.trash.list())["matches"]] == [None]
    it.now_s = NOW_S
    await it.trash.expire()
    assert [each["days_left"] for each in (await it.trash.list())["matches"]] == [7]
    it.now_s = NOW_S + 7 * DAY_S
    await it.trash.expire()
    assert await it.ids() == []


async def test_for_space_the_longest_deleted_go_first_and_no_more_than_needed(it: Bin) -> None:
    for match_id in ("old", "older", "new"):
        it.record(match_id)
    for match_id in ("older", "old", "new"):
        await it.trash.put(match_id)
        assert it.now_s is not None
        it.now_s += 1

    async def is_enough() -> bool:
        return len(await it.ids()) == 1

    await it.trash.reclaim(is_enough)
    assert await it.ids() == ["new"]
    assert [event.details["reason"] for event in it.events.of("library", "purged")] == [
        "space",
        "space",
    ]


async def test_a_crash_between_the_steps_leaves_the_match_in_one_place(
    it: Bin, monkeypatch: pytest.MonkeyPatch
) -> None:
    it.record("m1")

    class Killed(BaseException):
        """The process ends here."""

    def killed(*_: object) -> None:
        raise Killed

    rename = Path.rename
    monkeypatch.setattr(Path, "rename", killed)
    with pytest.raises(Killed):
        await it.trash.put("m1")
    monkeypatch.setattr(Path, "rename", rename)
    assert set(await recordings(it.library)) == {"m1"}
    assert await it.ids() == []
    await it.trash.expire()
    assert list((it.root / FOLDER).iterdir()) == []

    await it.trash.put("m1")
    monkeypatch.setattr(shutil, "rmtree", killed)
    with pytest.raises(Killed):
        await it.trash.purge("m1")
    monkeypatch.undo()
    assert await it.ids() == []
    assert await recordings(it.library) == {}
    await it.library.clean_up()
    assert [path.name for path in it.root.iterdir()] == [FOLDER]


async def test_a_match_that_cannot_be_moved_stays_where_it_is(
    it: Bin, monkeypatch: pytest.MonkeyPatch
) -> None:
    it.record("m1")

    def refuse(*_: object) -> None:
        raise OSError(errno.EROFS, os.strerror(errno.EROFS))

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", refuse)
        with pytest.raises(Failed, match="Nothing was changed"):
            await it.trash.put("m1")
    await it.trash.put("m1")
    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", refuse)
        with pytest.raises(Failed, match="still in the trash"):
            await it.trash.restore("m1")
        await it.trash.reclaim(never)  # what cannot go is passed over
    assert await it.ids() == ["m1"]


async def test_many_requests_at_once_move_a_match_once(it: Bin) -> None:
    it.record("m1")
    done: list[str] = []

    async def put() -> None:
        try:
            done.append((await it.trash.put("m1"))["status"])
        except NotFound:
            done.append("gone")

    async with anyio.create_task_group() as tasks:
        for _ in range(5):
            tasks.start_soon(put)
    assert sorted(done) == ["gone"] * 4 + ["trashed"]
    assert await it.ids() == ["m1"]


async def test_the_library_tells_of_every_change(it: Bin) -> None:
    it.record("m1")
    it.record("m2")
    versions = [it.library.changed.version]
    for work in (
        lambda: it.trash.put("m1"),
        lambda: it.trash.restore("m1"),
        lambda: it.trash.put("m2"),
        lambda: it.trash.purge("m2"),
    ):
        await work()
        versions.append(it.library.changed.version)
    assert versions == sorted(set(versions))


def test_every_reason_is_told_in_words() -> None:
    assert set(module._BECAUSE) == {"asked", "expired", "space"}
