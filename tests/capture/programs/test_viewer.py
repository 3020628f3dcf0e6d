from __future__ import annotations

import os
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import anyio
import pytest

from support.supervised import supervised_tasks
from touchline.capture.programs import viewer as module
from touchline.capture.programs.viewer import LiveLink
from touchline.core.errors import Blocked, Failed

pytestmark = pytest.mark.anyio

WITHIN_S = 120.0


@asynccontextmanager
async def linked(folder: Path, hls_dir: Path | None = None) -> AsyncIterator[LiveLink]:
    """A link to a real live process, which is ended afterwards."""
    for name in ("run", "log"):
        (folder / name).mkdir(exist_ok=True)
    async with supervised_tasks() as tasks:
        link = LiveLink(
            runtime_dir=folder / "run",
            log_dir=folder / "log",
            unresponsive_after_s=60.0,
            hls_dir=hls_dir,
            tasks=tasks,
        )
        try:
            with anyio.fail_after(WITHIN_S):
                yield link
        finally:
            with anyio.CancelScope(shield=True), anyio.move_on_after(WITHIN_S):
                await link.close()


async def test_the_process_is_started_on_first_use_and_kept(tmp_path: Path) -> None:
    async with linked(tmp_path) as link:
        assert (link.connected, link.pid) == (False, None)
        await link.ask("hls_stop", camera="cam0")
        pid = link.pid
        await link.ensure()
        assert (link.connected, link.pid) == (True, pid)
        assert link.hls_dir is not None
        assert link.hls_dir.is_dir()
        with pytest.raises(Failed):
            await link.ask("whistle")


async def test_a_process_that_died_is_replaced_and_everyone_is_told(tmp_path: Path) -> None:
    events: list[Mapping[str, Any]] = []
    started: list[int | None] = []
    async with linked(tmp_path) as link:

        async def begin() -> None:
            started.append(link.pid)

        link.on_event(events.append)
        link.on_started(begin)
        await link.ensure()
        first = link.pid
        assert first is not None
        os.kill(first, 9)
        while len(started) < 2:
            await anyio.sleep(0.01)
        assert started == [first, link.pid]
        assert first != link.pid
        assert "lost" in [each["event"] for each in events]


async def test_the_process_of_an_earlier_server_with_another_folder_is_replaced(
    tmp_path: Path,
) -> None:
    hls = tmp_path / "hls"
    hls.mkdir()
    async with linked(tmp_path) as earlier:
        await earlier.ensure()
        first = earlier.pid
        async with linked(tmp_path, hls) as link:
            await link.ensure()
            assert link.pid != first
            assert link.hls_dir is not None
            assert link.hls_dir.parent == hls


async def test_a_process_that_does_not_come_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(module, "_START_S", 0.0)
    async with linked(tmp_path) as link:
        with pytest.raises(Blocked, match="could not be started") as caught:
            await link.ensure()
        assert caught.value.code == "live_unavailable"
        monkeypatch.setattr(module, "_START_S", WITHIN_S)
        await link.ensure()
