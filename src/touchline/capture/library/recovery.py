"""Recovery of interrupted matches and their files after a crash or a power cut.

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import logging
import os
from collections.abc import Collection
from dataclasses import dataclass, field
from pathlib import Path

from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.manifest import Manifest
from touchline.capture.library.manifest.rescan import segment_files, segment_of
from touchline.core.errors import Refused
from touchline.foreign.files import is_regular
from touchline.media.mp4 import scan
from touchline.media.mp4.walk import NotSegment

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Salvage:
    """Result of a repair: the updated manifest, and the bytes cut from each file."""

    manifest: Manifest
    cut_bytes: dict[str, int] = field(default_factory=dict)
    failed: dict[str, str] = field(default_factory=dict)


def find_interrupted_matches(root: Path) -> list[Manifest]:
    """Return the matches whose manifest marks them as being recorded, the newest last."""
    found = []
    try:
        folders = [Path(entry) for entry in os.scandir(root) if entry.is_dir(follow_symlinks=False)]
    except FileNotFoundError:
        return []
    for folder in folders:
        if folder.name.startswith(".") or not is_regular(folder / manifestfile.FILE_NAME):
            continue
        try:
            manifest = manifestfile.load(folder)
        except (Refused, OSError) as error:
            log.error("%s is left unchanged: %s", folder, error)
            continue
        if manifest is not None and manifest.state == "recording":
            found.append(manifest)
    return sorted(found, key=_start_of)


def _start_of(manifest: Manifest) -> tuple[int, int]:
    """Return a sort key by start of the match.

    Matches of version 0.1.0 have no number yet.
    """
    return (manifest.number or 0, manifest.origin_ns)


def salvage_match(folder: Path, manifest: Manifest, *, skip: Collection[str] = ()) -> Salvage:
    """Finish every segment that was left open, cut to its last whole fragment.

    `skip` names segments that are still being written. A file that cannot be repaired is named in
    `failed` and left unchanged; one that never got a fragment, and is not listed, is removed.
    Nothing is written but the segments.
    """
    cut: dict[str, int] = {}
    failed: dict[str, str] = {}
    for path in segment_files(folder):
        listed = manifest.segment(path.name)
        if path.name in skip or (listed is not None and listed.finalized):
            continue
        try:
            before = scan.salvage(path)
            if not before.fragments and listed is None and scan.remove_empty(path):
                log.info("%s was begun and never got a picture: it was removed", path)
                continue
            after = scan.scan(path, checksums=False)
        except NotSegment:
            continue
        except OSError as error:
            failed[path.name] = error.strerror or str(error)
            continue
        if not before.fragments:
            log.warning("%s has no complete fragment", path)
            failed[path.name] = "it has no complete fragment"
            continue
        if not before.finalized and before.size_bytes > before.good_bytes:
            cut[path.name] = before.size_bytes - before.good_bytes
        manifest = manifest.with_segment(segment_of(after, path.name))
    return Salvage(manifest, cut, failed)
