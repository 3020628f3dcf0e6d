"""Results of post-processing, kept in the match's folder.

The folder is the record: a result exists if its file does, and `processing.json` describes how it
was created.
"""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, cast

from anyio import CapacityLimiter, to_thread

from touchline.capture.library.library import Library
from touchline.capture.library.wholefile import write_whole
from touchline.capture.processing.answers import MadeOfMatch, UploadState
from touchline.capture.processing.jobs import Job
from touchline.capture.processing.uploadstates import UPLOADS
from touchline.core.events.log import EventLog
from touchline.foreign.files import read_bytes

log = logging.getLogger(__name__)

RECORD = "processing.json"
_UPLOAD_FACTS = frozenset({"state", "key", "size_bytes", "sent_bytes", "error"})


class JobResults:
    """Results of finished jobs."""

    def __init__(self, library: Library, events: EventLog) -> None:
        # A separate limiter, because the general pool is the recorder's.
        self._threads = CapacityLimiter(2)
        self._library = library
        self._events = events

    async def store(self, job: Job, result: Mapping[str, Any]) -> None:
        """Store the result of a job in its match's folder."""
        folder = await self._library.folder(job.match_id)
        await to_thread.run_sync(partial(_store, folder, job.kind, result))
        self._events.record(
            "processing",
            "finished",
            f"{job.kind} of {job.match_id} is done",
            match_id=job.match_id,
            job_id=job.job_id,
            kind=job.kind,
        )

    async def of_match(self, match_id: str) -> MadeOfMatch:
        """Return the results of a match by kind, and the uploads of its files.

        Raises NotFound.
        """
        folder = await self._library.folder(match_id)
        made = await to_thread.run_sync(_read, folder, RECORD, limiter=self._threads)
        uploads = await to_thread.run_sync(_read, folder, UPLOADS, limiter=self._threads)
        # Anybody may have written these files: whatever is not an object is left out.
        return {
            "match_id": match_id,
            "made": _objects(made),
            "uploads": {
                name: _upload_state(state) for name, state in _objects(uploads.get("files")).items()
            },
        }


def _objects(found: object) -> dict[str, dict[str, Any]]:
    """Return the entries that are objects; none if `found` is not an object."""
    if not isinstance(found, dict):
        return {}
    return {name: each for name, each in found.items() if isinstance(each, dict)}


def _upload_state(found: Mapping[str, Any]) -> UploadState:
    """Return the published facts of an upload, as the studio wrote them."""
    return cast("UploadState", {key: found[key] for key in found if key in _UPLOAD_FACTS})


def _read(folder: Path, name: str) -> dict[str, Any]:
    try:
        found = json.loads(read_bytes(folder / name))
    except FileNotFoundError:
        return {}
    except (OSError, ValueError) as error:
        log.warning("%s of %s cannot be read: %s", name, folder.name, error)
        return {}
    return found if isinstance(found, dict) else {}


def _store(folder: Path, kind: str, result: Mapping[str, Any]) -> None:
    record = {**_read(folder, RECORD), kind: dict(result)}
    write_whole(folder / RECORD, json.dumps(record, indent=1).encode())
