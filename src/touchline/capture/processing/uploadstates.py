"""Upload results of a match's files, as recorded by the upload job."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from pathlib import Path

from touchline.foreign.files import read_bytes

log = logging.getLogger(__name__)

UPLOADS = "upload.json"
MAX_FILES = 200
_MAX_KEY_CHARS = 1024


@dataclass(frozen=True)
class Uploaded:
    """Verified file in the storage: its local name, its key there, and its size."""

    name: str
    key: str
    size_bytes: int
    bucket: str | None
    """None if written by an earlier version."""


def list_uploaded(folder: Path) -> tuple[Uploaded, ...]:
    """Return the uploaded files of a match, sorted by name.

    A record that cannot be read counts as empty.
    """
    try:
        found = json.loads(read_bytes(folder / UPLOADS))["files"]
        items = sorted(found.items())
    except FileNotFoundError:
        return ()
    except (OSError, ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
        log.warning("%s of %s cannot be read: %s", UPLOADS, folder.name, error)
        return ()
    files = (_parse_upload(name, state) for name, state in items[:MAX_FILES])
    return tuple(file for file in files if file is not None)


def _parse_upload(name: str, state: object) -> Uploaded | None:
    if not isinstance(state, dict) or state.get("state") != "uploaded":
        return None
    key, size, bucket = state.get("key"), state.get("size_bytes"), state.get("bucket")
    if not isinstance(key, str) or not 0 < len(key) <= _MAX_KEY_CHARS:
        return None
    if not (key.isprintable() and name.isprintable()):
        return None
    if not isinstance(size, int) or isinstance(size, bool) or size < 0:
        return None
    return Uploaded(name, key, size, bucket if isinstance(bucket, str) else None)
