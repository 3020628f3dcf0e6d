"""What is made once for all tests of a run, also for those of other lanes: films, lists of plugins.

`scripts/test` names a folder for its lanes. Where there is none, a run of pytest has its own.
"""

from __future__ import annotations

import fcntl
import os
from collections.abc import Callable
from pathlib import Path

FOLDER = "PYTEST_SHARED_FOLDER"


def made_once(name: str, make: Callable[[Path], object]) -> Path:
    """The file of that name. `make` writes it if nobody has yet; others wait until it is whole.

    It is for reading: whoever changes it changes it for all.
    """
    folder = Path(os.environ.get(FOLDER) or Path(os.environ["HOME"], "made-once"))
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / name
    with (folder / f"{name}.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not path.exists():
            half = path.with_name(
                f"half-{name}"
            )  # with its suffix: ffmpeg and GStreamer look at it
            half.unlink(missing_ok=True)
            make(half)
            half.rename(path)
    return path
