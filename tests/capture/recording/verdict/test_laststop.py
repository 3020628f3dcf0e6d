"""The verdict of the last stop outlives its server, and goes when it is dismissed."""

from __future__ import annotations

import os
import threading
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any, cast

import anyio
import pytest

from support.fakerecorders import last_stop
from support.supervised import supervised_tasks
from touchline.capture.library.wholefile import write_whole
from touchline.capture.recording.verdict import laststop
from touchline.capture.recording.verdict.answers import LastStop
from touchline.capture.recording.verdict.laststop import LastStopStore
from touchline.core.errors import NotFound
from touchline.core.supervision import Tasks
from touchline.core.tasks import Changed

pytestmark = pytest.mark.anyio

VERDICT = cast("LastStop", last_stop())


@pytest.fixture
async def tasks() -> AsyncIterator[Tasks]:
    async with supervised_tasks() as tasks:
        yield tasks


def opened(folder: Path, tasks: Tasks) -> LastStopStore:
    store = LastStopStore(folder / "last-stop.json", Changed())
    tasks.keep("last stop", store.save_once, every_s=0.0)
    return store


async def test_what_was_put_is_there_for_the_next_server(tmp_path: Path, tasks: Tasks) -> None:
    store = opened(tmp_path, tasks)
    store.put(VERDICT)
    await store.flush()
    later = opened(tmp_path, tasks)
    assert later.current is None
    await later.load()
    assert later.current == VERDICT


async def test_what_is_dismissed_is_gone_for_good(tmp_path: Path, tasks: Tasks) -> None:
    changed = Changed()
    store = LastStopStore(tmp_path / "last-stop.json", changed)
    tasks.keep("last stop", store.save_once, every_s=0.0)
    store.put(VERDICT)
    before = changed.version
    with pytest.raises(NotFound):
        await store.dismiss("of an earlier stop")
    assert (store.current, changed.version) == (VERDICT, before)
    assert await store.dismiss(VERDICT["id"]) == {"dismissed": VERDICT["id"]}
    assert store.current is None
    assert changed.version > before
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(NotFound) as refused:
        await store.dismiss(None)
    assert refused.value.code == "no_last_stop"


async def test_a_start_forgets_it(tmp_path: Path, tasks: Tasks) -> None:
    store = opened(tmp_path, tasks)
    store.put(VERDICT)
    await store.flush()
    store.clear()
    assert store.current is None
    with anyio.fail_after(60):
        while (tmp_path / "last-stop.json").exists():
            await anyio.sleep(0.005)


async def test_what_is_no_file_is_neither_waited_for_nor_read(tmp_path: Path, tasks: Tasks) -> None:
    os.mkfifo(tmp_path / "last-stop.json")
    store = opened(tmp_path, tasks)
    with anyio.fail_after(20):
        await store.load()
    assert store.current is None


@pytest.mark.parametrize("text", ["", "{}", '{"id": 3}', "[1]", "\x00"])
async def test_a_damaged_file_shows_nothing_and_is_replaced(
    tmp_path: Path, tasks: Tasks, text: str
) -> None:
    (tmp_path / "last-stop.json").write_text(text)
    store = opened(tmp_path, tasks)
    await store.load()
    assert store.current is None
    store.put(VERDICT)
    await store.flush()
    await store.load()
    assert store.current == VERDICT


async def test_on_a_disk_that_hangs_it_is_shown_at_once_and_stored_later(
    tmp_path: Path, tasks: Tasks, monkeypatch: pytest.MonkeyPatch
) -> None:
    may_write = threading.Event()

    def hangs(*arguments: Any) -> None:
        assert may_write.wait(60)
        write_whole(*arguments)

    monkeypatch.setattr(laststop, "write_whole", hangs)
    monkeypatch.setattr(laststop, "_WAIT_S", 0.05)
    store = opened(tmp_path, tasks)
    try:
        store.put(VERDICT)
        assert store.current == VERDICT
        await store.flush()  # waits no longer than a moment
        assert not (tmp_path / "last-stop.json").exists()
    finally:
        may_write.set()
    with anyio.fail_after(60):
        while not (tmp_path / "last-stop.json").exists():
            await anyio.sleep(0.005)
