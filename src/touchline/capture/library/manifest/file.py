"""Storage of the manifest as `match.json`, replaced atomically.

A damaged manifest is set aside and rebuilt from the segments. Blocks: call it in a thread.
"""

from __future__ import annotations

import re
from pathlib import Path

from pydantic import BaseModel, ValidationError

from touchline.capture.library.manifest.manifest import FORMAT_VERSION, Manifest
from touchline.capture.library.manifest.rescan import rescan
from touchline.capture.library.wholefile import write_whole
from touchline.core.errors import Refused
from touchline.foreign.files import read_bytes

FILE_NAME = "match.json"


DAMAGED_NAME = "match.json.damaged"


def load(folder: Path) -> Manifest | None:
    """Return the match's manifest; None for a foreign match or a lost manifest.

    A manifest that cannot be parsed is set aside as `match.json.damaged` and rebuilt from the
    segments. One from a newer touchline is left unchanged: Refused, code `manifest_too_new`.
    """
    path = folder / FILE_NAME
    try:
        text = read_bytes(path)
    except FileNotFoundError:
        return None
    try:
        manifest = Manifest.model_validate_json(text)
    except ValidationError:
        _refuse_newer(path, text)
        path.replace(folder / DAMAGED_NAME)
        manifest = rescan(folder).model_copy(update={"number": _number_in(text)})
        save(folder, manifest)
        return manifest
    if manifest.format_version > FORMAT_VERSION:
        raise _too_new(path, manifest.format_version)
    return manifest


def _number_in(damaged: bytes) -> int | None:
    """Return the match number in a manifest that cannot be parsed, if it is readable."""
    found = re.search(rb'"number": ?([1-9][0-9]{0,8})[,\s]', damaged)
    return None if found is None else int(found[1])


class _Version(BaseModel):
    format_version: int


def _refuse_newer(path: Path, text: bytes) -> None:
    try:
        version = _Version.model_validate_json(text).format_version
    except ValidationError:
        return
    if version > FORMAT_VERSION:
        raise _too_new(path, version)


def _too_new(path: Path, version: int) -> Refused:
    message = f"{path} has format version {version}; this touchline reads up to {FORMAT_VERSION}"
    return Refused(message, code="manifest_too_new", format_version=version)


def save(folder: Path, manifest: Manifest) -> None:
    """Replace the manifest on disk atomically, also at a power cut."""
    write_whole(folder / FILE_NAME, manifest.model_dump_json(indent=1).encode())
