"""No error of what the recorder uses, of whatever kind and at whatever call, ends a recording."""

from __future__ import annotations

import itertools
from collections.abc import Callable
from pathlib import Path

import anyio
import pytest

from support.faulty import ERRORS, Faulty
from support.recorders import Studio, studio, until
from touchline.capture.recording import monitor
from touchline.core.errors import TouchlineError

pytestmark = pytest.mark.anyio

COLLABORATORS = ["alerts", "events", "prober", "disk", "record", "space", "unsaved", "changed"]
MOST_CALLS = 6
ALL_CALLS = 40
"""No collaborator but a change is called as often; those are all alike."""


@pytest.mark.parametrize("collaborator", COLLABORATORS)
async def test_recordings_go_on_whatever_the_recorder_uses_raises(
    collaborator: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hurry(monkeypatch)
    kinds = itertools.cycle(ERRORS)
    for at in range(1, MOST_CALLS + 1):
        folder = tmp_path / str(at)
        folder.mkdir()
        if await lived(folder, collaborator, at, next(kinds)()) < at:
            return


@pytest.mark.slow
@pytest.mark.parametrize("kind", ERRORS, ids=[type(kind()).__name__ for kind in ERRORS])
@pytest.mark.parametrize("collaborator", COLLABORATORS)
async def test_recordings_go_on_after_every_kind_of_error_at_every_call(
    collaborator: str,
    kind: Callable[[], Exception],
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    hurry(monkeypatch)
    for at in range(1, ALL_CALLS + 1):
        folder = tmp_path / str(at)
        folder.mkdir()
        if await lived(folder, collaborator, at, kind()) < at:
            return


def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """Have everything that the recorder does now and then happen within a moment."""
    for name in ("SAVE_EVERY_S", "PROBE_EVERY_S", "VERIFY_EVERY_S", "FOLDER_EVERY_S"):
        monkeypatch.setattr(monitor, name, 0.05)


async def lived(folder: Path, collaborator: str, at: int, error: Exception) -> int:
    """A match is recorded while the collaborator fails once; how often it was called."""
    async with studio(folder) as it:
        proxy = Faulty(getattr(it.context, collaborator))
        object.__setattr__(it.context, collaborator, proxy)  # it is frozen
        proxy.arm(at, error)
        started = await tried_to_start(it)
        if started:
            assert it.recorder.status()["recording"], f"{error!r} at call {at}"
            await anyio.sleep(0.2)
            assert it.recorder.status()["recording"], f"{error!r} at call {at}"
            assert it.files("m1")
        await tried_to_stop(it)
        await until(it.is_free, f"free after {error!r} at call {at} of {collaborator}")
        # And so does the next one, whatever became of the first.
        proxy.at = None
        assert (await it.start("m2"))["success"], f"after {error!r} at call {at}"
        assert it.recorder.status()["recording"]
        assert (await it.stop())["success"], f"after {error!r} at call {at}"
        assert it.files("m2")
        return proxy.calls


async def tried_to_start(it: Studio) -> bool:
    """As a client, who is told of an error and may try again."""
    try:
        return bool((await it.start("m1"))["success"])
    except (TouchlineError, KeyError, OSError, RecursionError, MemoryError):
        return False


async def tried_to_stop(it: Studio) -> None:
    for _ in range(3):
        if it.is_free():
            return
        try:
            await it.stop()
        except (TouchlineError, KeyError, OSError, RecursionError, MemoryError):
            await anyio.sleep(0.01)
