"""Fake workers in the place of the processes of a capture half."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from support.fakeworker import FakeWorker
from touchline.capture.programs import process
from touchline.capture.programs.process import ProcessLink


class _Process:
    """What a spawned worker looks like from outside, as far as the link looks."""

    returncode: int | None = None


class FakeFleet:
    """Whoever is spawned or killed is one of these workers."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory
        self.workers: dict[str, FakeWorker] = {}
        self.spawned: list[str] = []
        self.refuses_to_spawn = False

    def __getitem__(self, camera_id: int) -> FakeWorker:
        return self.workers[f"cam{camera_id}"]

    async def start(self, name: str) -> FakeWorker:
        worker = self.workers[name] = FakeWorker(self.directory, name)
        await worker.live()
        return worker

    async def spawn(self, link: ProcessLink) -> Any:
        link.spawns += 1
        if self.refuses_to_spawn:
            raise OSError("no more processes")
        self.spawned.append(link.name)
        await self.start(link.name)
        return _Process()

    def kill(self, _: int | None) -> None:
        for worker in self.workers.values():
            if worker.mute:  # only these are killed; all have the process id of the test
                worker.die()

    def end(self) -> None:
        for worker in self.workers.values():
            worker.die()


def _spawned_by(fleet: FakeFleet) -> Any:
    async def spawn(link: ProcessLink) -> Any:  # a function, so that it becomes a method
        return await fleet.spawn(link)

    return spawn


async def _no_standby(_: ProcessLink, stdin: int) -> Any:
    raise OSError("fakes have no standby")


@contextmanager
def fake_fleet(directory: Path) -> Iterator[FakeFleet]:
    """Workers in the place of the processes, for as long as this scope lasts."""
    fleet = FakeFleet(directory)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ProcessLink, "_spawn", _spawned_by(fleet))
        patch.setattr(ProcessLink, "_launch_standby", _no_standby)
        patch.setattr(process, "kill", fleet.kill)
        patch.setattr(
            process, "is_alive", lambda _: any(w.connected for w in fleet.workers.values())
        )
        try:
            yield fleet
        finally:
            fleet.end()
