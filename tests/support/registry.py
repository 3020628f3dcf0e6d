"""GStreamer's list of plugins, made once for all servers of a test run.

Making it takes about a second of processor time, and each new data directory has to have one.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from pathlib import Path

from support.shared import made_once

NAME = "gstreamer-registry.bin"


def place_registry(runtime_dir: Path) -> Path:
    """Put the list where processes of this runtime directory look for it; an older one stays."""
    place = runtime_dir / NAME
    if not place.exists():
        runtime_dir.mkdir(parents=True, exist_ok=True)
        shutil.copy(registry(), place)
    return place


def registry() -> Path:
    """The list itself, for what has no runtime directory."""
    return made_once(NAME, _make)


def _make(path: Path) -> None:
    subprocess.run(
        ["gst-inspect-1.0", "fakesink"],
        env={**os.environ, "GST_REGISTRY": str(path)},
        stdout=subprocess.DEVNULL,
        check=True,
        timeout=120,
    )
