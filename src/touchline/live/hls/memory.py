"""A private folder for files that viewers fetch; it does not survive a restart."""

from __future__ import annotations

import hashlib
import logging
import os
import stat
from pathlib import Path

log = logging.getLogger(__name__)

MEMORY = Path("/dev/shm")  # noqa: S108  (the folder inside it is private, and checked)


def make_folder(runtime_dir: Path, parent: Path = MEMORY) -> Path:
    """Create a private folder in `parent`, or in `runtime_dir` if that fails.

    Nothing else in `parent` is touched: the folder's name is derived from `runtime_dir`.
    """
    mark = hashlib.sha256(os.fsencode(runtime_dir.absolute())).hexdigest()[:12]
    folder = parent / f"touchline-{os.geteuid()}-{mark}"
    try:
        return _private(folder)
    except OSError as error:
        log.warning("no directory for HLS in %s (%s); using %s", parent, error, runtime_dir)
        return _private(runtime_dir / "hls")


def clear_folder(folder: Path) -> None:
    """Remove the folder and the files of this process in it."""
    for path in folder.iterdir():
        path.unlink(missing_ok=True)
    folder.rmdir()


def _private(folder: Path) -> Path:
    folder.mkdir(mode=0o700, exist_ok=True)
    found = folder.lstat()
    # Everybody can write to /dev/shm: an existing folder may have been planted by another user.
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{folder} belongs to another user")
    folder.chmod(0o700)
    for path in folder.iterdir():
        path.unlink(missing_ok=True)
    return folder
