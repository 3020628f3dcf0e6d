from __future__ import annotations

import logging
import subprocess
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import anyio
import pytest

from touchline.capture.sources.kinds import Source
from touchline.capture.sources.simulated import TestSource

pytestmark = pytest.mark.anyio

LEFT, RIGHT = (TestSource(kind="test", scene=side) for side in ("left", "right"))
PATTERN = TestSource(kind="test")


async def prepare(sources: Sequence[Source], folder: Path) -> None:
    async with anyio.create_task_group() as tasks:
        for source in sources:
            tasks.start_soon(source.prepare, folder)


class Drawer:
    """Stands for the program that draws."""

    def __init__(self) -> None:
        self.commands: list[Sequence[str]] = []
        self.returncode = 0
        self.said = b""
        self.error: Exception | None = None

    async def run(self, command: Sequence[str], **_options: Any) -> Any:
        self.commands.append(command)
        if self.error is not None:
            raise self.error
        return subprocess.CompletedProcess(command, self.returncode, b"", self.said)

    @property
    def drawn(self) -> list[str]:
        return sorted(command[command.index("--side") + 1] for command in self.commands)


@pytest.fixture
def drawer(monkeypatch: pytest.MonkeyPatch) -> Drawer:
    made = Drawer()
    monkeypatch.setattr(anyio, "run_process", made.run)
    return made


@pytest.mark.parametrize(
    ("sources", "there", "drawn"),
    [
        ([], [], []),
        ([PATTERN], [], []),
        ([LEFT, RIGHT], [], ["left", "right"]),
        ([LEFT, PATTERN, RIGHT], [LEFT], ["right"]),
        ([LEFT, RIGHT], [LEFT, RIGHT], []),
    ],
)
async def test_only_scenes_that_are_needed_and_missing_are_drawn(
    drawer: Drawer,
    tmp_path: Path,
    sources: list[Source],
    there: list[TestSource],
    drawn: list[str],
) -> None:
    for source in there:
        (tmp_path / str(source.scene_file)).touch()
    await prepare(sources, tmp_path)
    assert drawer.drawn == drawn


async def test_a_scene_is_drawn_in_the_size_of_its_camera(drawer: Drawer, tmp_path: Path) -> None:
    await prepare([TestSource(kind="test", scene="left", width=640, height=360)], tmp_path)
    (command,) = drawer.commands
    options = dict(zip(command[3::2], command[4::2], strict=True))
    assert options == {
        "--out": str(tmp_path),
        "--width": "640",
        "--height": "360",
        "--side": "left",
    }


async def test_the_last_line_of_a_drawer_that_fails_is_logged(
    drawer: Drawer, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    drawer.returncode, drawer.said = 1, b"Traceback\nno room for a pitch\n"
    await prepare([LEFT], tmp_path)
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert record.getMessage().endswith(": no room for a pitch")


@pytest.mark.parametrize("error", [OSError("no such program"), TimeoutError()])
async def test_a_scene_that_cannot_be_drawn_keeps_nothing_from_starting(
    drawer: Drawer, tmp_path: Path, caplog: pytest.LogCaptureFixture, error: Exception
) -> None:
    drawer.error = error
    await prepare([LEFT, RIGHT], tmp_path)
    assert drawer.drawn == ["left", "right"]
    assert all(not record.getMessage().endswith(": ") for record in caplog.records)
    assert len(caplog.records) == 2
