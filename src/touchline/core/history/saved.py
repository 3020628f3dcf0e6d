"""A history of figures that is kept across restarts in one small file.

A thread writes the whole file every five minutes and at the end: a crash costs at most five minutes
of figures, shown as a gap, and a disk that hangs affects only the file.
"""

from __future__ import annotations

import json
import logging
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread

from touchline.core import wallclock
from touchline.core.history.answers import MetricsWindow, Range
from touchline.core.history.rings import ClockReading, History
from touchline.core.tasks import Keep, keep_running
from touchline.foreign.files import replace_whole

log = logging.getLogger(__name__)

FILE_NAME = "metrics-history.json"
LOOK_EVERY_S = 2.0
SAVE_EVERY_S = 300.0
_LAST_SAVE_S = 2.0
_LARGEST_BYTES = 4 << 20
"""Maximum size of the file. A full history has a tenth of it, so a larger file is not ours."""

Figures = Callable[[], Mapping[str, float | None]]
ReadMoment = Callable[[], ClockReading]


def read_moment() -> ClockReading:
    """Read the clocks of this machine."""
    boot_s = time.clock_gettime(time.CLOCK_BOOTTIME)
    return ClockReading(wallclock.boot_id(), boot_s, time.time())


class SavedHistory:
    """Collects and saves a history. Created by `open_history`."""

    def __init__(
        self,
        history: History,
        figures: Figures,
        path: Path,
        *,
        read_moment: ReadMoment = read_moment,
    ) -> None:
        self._history = history
        self._figures = figures
        self._path = path
        self._read_moment = read_moment
        self._save_failed = False

    def read(self, wanted: Range) -> MetricsWindow:
        """Return the figures of a range, from memory."""
        return self._history.read(wanted, self._read_moment())

    async def look(self) -> None:
        """Add the current figures."""
        self._history.add(self._read_moment().boot_s, self._figures())

    async def load(self) -> None:
        """Load the file of an earlier server; one that cannot be read is replaced later."""
        try:
            text = await to_thread.run_sync(_read, self._path, abandon_on_cancel=True)
            if text is not None:
                self._history.restore(json.loads(text), self._read_moment())
        except (OSError, ValueError, RecursionError) as error:
            log.warning(
                "Earlier metrics are not available: %s cannot be read (%s). It will be"
                " written again within minutes",
                self._path,
                error,
            )

    async def save(self) -> None:
        """Write the file. Of a series of failures only the first is logged."""
        kept = self._history.to_json(self._read_moment())
        try:
            await to_thread.run_sync(_write, self._path, kept, abandon_on_cancel=True)
        except OSError as error:
            if not self._save_failed:
                log.warning("%s cannot be written; retrying: %s", self._path, error)
            self._save_failed = True
        else:
            if self._save_failed:
                log.info("%s is being written again", self._path)
            self._save_failed = False


@asynccontextmanager
async def open_history(
    names: tuple[str, ...], figures: Figures, data_dir: Path, *, keep: Keep = keep_running
) -> AsyncIterator[SavedHistory]:
    """Open a history of these figures; `keep` collects and saves them until it is closed."""
    kept = SavedHistory(History(names), figures, data_dir / FILE_NAME)
    with anyio.move_on_after(_LAST_SAVE_S):
        await kept.load()

    async def save_later() -> None:
        await anyio.sleep(SAVE_EVERY_S)
        await kept.save()

    async with anyio.create_task_group() as tasks:
        tasks.start_soon(partial(keep, "metrics history", kept.look, every_s=LOOK_EVERY_S))
        tasks.start_soon(partial(keep, "metrics history file", save_later, every_s=0))
        try:
            yield kept
        finally:
            tasks.cancel_scope.cancel()
            with anyio.CancelScope(shield=True), anyio.move_on_after(_LAST_SAVE_S):
                await kept.save()


def _read(path: Path) -> str | None:
    """Read the file; None if there is none. Raises OSError, or ValueError if it is malformed."""
    try:
        with path.open("rb") as file:
            content = file.read(_LARGEST_BYTES + 1)
    except FileNotFoundError:
        return None
    if len(content) > _LARGEST_BYTES:
        raise ValueError("it is too large")
    return content.decode()


def _write(path: Path, kept: Mapping[str, Any]) -> None:
    content = json.dumps(kept, separators=(",", ":"), allow_nan=False).encode()
    replace_whole(path, content, synced=True)
