"""Links to workers, fake or real, as tests open them."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path
from typing import Any

import anyio
import pytest

from support.fakefleet import FakeFleet, fake_fleet
from support.recorders import until
from support.registry import place_registry
from touchline.capture.programs.launcher import ProgramLauncher
from touchline.capture.programs.process import ProcessLink

NAME = "cam0"


class Ear:
    """Hears a link."""

    def __init__(self) -> None:
        self.hellos: list[Mapping[str, Any]] = []
        self.events: list[Mapping[str, Any]] = []
        self.lost: list[tuple[float, str]] = []

    async def connected(self, hello: Mapping[str, Any]) -> None:
        self.hellos.append(hello)

    def gone(self, reason: str) -> None:
        self.lost.append((time.monotonic(), reason))

    def heard(self, what: str) -> bool:
        return any(event.get("event") == what for event in self.events)


def make_link(
    folder: Path, ear: Ear, *, unresponsive_after_s: float = 60.0, standby: bool = False
) -> ProcessLink:
    runtime = folder / "run"
    place_registry(runtime)
    return ProcessLink(
        ProgramLauncher(
            NAME, "touchline.worker", f"worker of {NAME}", runtime, folder / "log" / "cam0.log"
        ),
        unresponsive_after_s=unresponsive_after_s,
        on_connected=ear.connected,
        on_event=ear.events.append,
        on_lost=ear.gone,
        standby=standby,
    )


@asynccontextmanager
async def linked(link: ProcessLink, ear: Ear) -> AsyncIterator[None]:
    """The link at work; its worker leaves at the end."""
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(link.run)
        await until(lambda: ear.hellos, "a worker is met")
        yield
        with anyio.CancelScope(shield=True):
            await link.quit()
        tasks.cancel_scope.cancel()


@contextmanager
def workers(kind: str, folder: Path) -> Iterator[FakeFleet | None]:
    (folder / "run").mkdir(parents=True, exist_ok=True)
    if kind == "real":
        pytest.importorskip("gi")
        yield None
        return
    with fake_fleet(folder / "run") as fleet:
        yield fleet


def processes(folder: Path, option: str = "--name") -> list[int]:
    """The processes of this runtime directory that were started with an option."""
    found = []
    for entry in Path("/proc").glob("[0-9]*"):
        with suppress(OSError):
            words = (entry / "cmdline").read_bytes().split(b"\0")
            if option.encode() in words and str(folder / "run").encode() in words:
                found.append(int(entry.name))
    return found


def standbys(folder: Path) -> list[int]:
    """Those that were started to stand by, promoted ones among them."""
    return processes(folder, "--standby")
