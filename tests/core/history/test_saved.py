"""The history's file: written whole, survives what restarts, and holds up nobody."""

from __future__ import annotations

import json
import logging
import threading
from pathlib import Path
from typing import Any

import anyio
import pytest

from touchline.core.history import saved
from touchline.core.history.rings import ClockReading, History
from touchline.core.history.saved import FILE_NAME, SavedHistory, open_history

pytestmark = pytest.mark.anyio


class Clock:
    def __init__(self) -> None:
        self.boot_s = 1000.0

    def __call__(self) -> ClockReading:
        return ClockReading("a3", self.boot_s, 1_790_000_000 + self.boot_s)


def history_at(path: Path, clock: Clock) -> SavedHistory:
    history = History(("cpu_percent",))
    return SavedHistory(history, lambda: {"cpu_percent": 7.0}, path, read_moment=clock)


async def sampled(kept: SavedHistory, clock: Clock, seconds: int) -> None:
    for _ in range(0, seconds, 2):
        await kept.look()
        clock.boot_s += 2


async def test_what_was_kept_is_there_after_a_restart(tmp_path: Path) -> None:
    clock, path = Clock(), tmp_path / FILE_NAME
    kept = history_at(path, clock)
    await sampled(kept, clock, 60)
    await kept.save()
    assert [each.name for each in tmp_path.iterdir()] == [FILE_NAME]
    clock.boot_s += 100
    again = history_at(path, clock)
    await again.load()
    assert again.read("hour")["series"]["cpu_percent"] == [7.0] * 5


@pytest.mark.parametrize(
    "content", [b"", b"{", b"\xff\xfe", b"[" * 100_000, b"null", b" " * 5_000_000]
)
async def test_a_damaged_file_is_told_and_written_anew(
    tmp_path: Path, content: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    clock, path = Clock(), tmp_path / FILE_NAME
    path.write_bytes(content)
    kept = history_at(path, clock)
    await kept.load()
    assert "cannot be read" in caplog.text
    await sampled(kept, clock, 60)
    await kept.save()
    assert json.loads(path.read_text())["version"] == 1


async def test_a_disk_that_takes_no_file_is_told_once_and_costs_no_figure(
    tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO)
    clock, folder = Clock(), tmp_path / "later"
    kept = history_at(folder / FILE_NAME, clock)
    await kept.save()
    await sampled(kept, clock, 60)
    await kept.save()
    assert caplog.text.count("cannot be written") == 1
    folder.mkdir()
    await kept.save()
    assert "is being written again" in caplog.text
    assert len(kept.read("hour")["times"]) == 5


async def test_the_file_is_written_at_the_end_and_read_at_the_start(tmp_path: Path) -> None:
    async with open_history(("cpu_percent",), lambda: {"cpu_percent": 1.0}, tmp_path):
        pass
    assert (tmp_path / FILE_NAME).exists()
    async with open_history(("cpu_percent",), lambda: {"cpu_percent": 1.0}, tmp_path) as kept:
        assert kept.read("day")["step_s"] == 120


async def test_a_disk_that_hangs_holds_up_neither_the_samples_nor_the_end(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    released, begun = threading.Event(), threading.Event()

    def hang(*_: Any) -> None:
        begun.set()
        released.wait(30)

    monkeypatch.setattr(saved, "_write", hang)
    monkeypatch.setattr(saved, "SAVE_EVERY_S", 0.0)
    monkeypatch.setattr(saved, "LOOK_EVERY_S", 0.01)
    monkeypatch.setattr(saved, "_LAST_SAVE_S", 0.1)
    samples = 0

    def figures() -> dict[str, float | None]:
        nonlocal samples
        samples += 1
        return {}

    try:
        with anyio.fail_after(20):
            async with open_history(("cpu_percent",), figures, tmp_path):
                while not begun.is_set():
                    await anyio.sleep(0.01)
                before = samples
                while samples < before + 3:
                    await anyio.sleep(0.01)
    finally:
        released.set()
