"""Storage of the last stop's verdict in `last-stop.json` in the data directory.

Losing the file costs only the verdict: what a stop found is in the manifest of its match, too.
"""

from __future__ import annotations

import json
import logging
from pathlib import Path

from anyio import to_thread
from pydantic import TypeAdapter, ValidationError

from touchline.capture.library.wholefile import sync_folder, write_whole
from touchline.capture.recording.verdict.answers import LastStop, LastStopDismissed
from touchline.core import patience
from touchline.core.errors import NotFound
from touchline.core.tasks import Changed
from touchline.foreign.files import read_bytes

log = logging.getLogger(__name__)

FILE_NAME = "last-stop.json"

_WAIT_S = 2.0
"""Seconds that a dismissal, and the end of the server, wait for a slow disk."""


class LastStopStore:
    """Verdict of the last stop, if any.

    `changed` is marked when the verdict to be shown changes. `save_once` waits for a change and
    stores it; the recording monitor repeats it, so that a slow disk delays no stop.
    """

    def __init__(self, path: Path, changed: Changed) -> None:
        self._path = path
        self._changed = changed
        self._current: LastStop | None = None
        self._unsaved = Changed()
        self._saved_version = 0
        self._saved = Changed()

    @property
    def current(self) -> LastStop | None:
        """Verdict to be shown; None where there was no stop, or it was dismissed."""
        return self._current

    async def load(self) -> None:
        """Read the verdict of a stop that an earlier server made. A damaged file is ignored."""
        self._current = await to_thread.run_sync(_read, self._path)

    def put(self, verdict: LastStop) -> None:
        """Replace the verdict. It is shown immediately, and stored in the background."""
        self._replace(verdict)

    def clear(self) -> None:
        """Forget the verdict: another match is being recorded."""
        self._replace(None)

    async def dismiss(self, verdict_id: str | None) -> LastStopDismissed:
        """Forget the verdict on request.

        Raises NotFound if there is none, or if it is not the one of that id by now.
        """
        current = self._current
        if current is None or verdict_id not in {None, current["id"]}:
            raise NotFound("There is no such verdict of a stop", code="no_last_stop")
        self._replace(None)
        await self.flush()
        return {"dismissed": current["id"]}

    async def save_once(self) -> None:
        """Wait until the verdict changes, and store it. Raises OSError."""
        version = await self._unsaved.wait(self._saved_version)
        await to_thread.run_sync(_write, self._path, self._current, abandon_on_cancel=True)
        self._saved_version = version
        self._saved.mark()

    async def flush(self) -> None:
        """Wait until the newest change is stored, at most for a moment if the disk is slow."""
        version = self._unsaved.version
        with patience.move_on_after(_WAIT_S) as waiting:
            while self._saved_version < version:
                await self._saved.wait(self._saved.version)
        if waiting.ran_out:
            log.warning("%s will be stored later: the disk is slow", self._path.name)

    def _replace(self, verdict: LastStop | None) -> None:
        self._current = verdict
        self._unsaved.mark()
        self._changed.mark()


def _read(path: Path) -> LastStop | None:
    try:
        return TypeAdapter(LastStop).validate_json(read_bytes(path))
    except FileNotFoundError:
        return None
    except (OSError, ValidationError) as error:
        log.warning("%s cannot be read, so the last stop is not shown: %s", path, error)
        return None


def _write(path: Path, verdict: LastStop | None) -> None:
    """Replace the file, or remove it. Blocks; raises OSError."""
    if verdict is not None:
        write_whole(path, json.dumps(verdict).encode())
    elif path.exists():
        path.unlink(missing_ok=True)
        sync_folder(path.parent)
