"""Recordings that are only files of a size: enough for what lists, sends and deletes them."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from touchline.capture.library.library import Library

CAM0 = "cam0_20260211_220241_00.mp4"
CAM1 = "cam1_20260211_220241_00.mp4"
MIB = 1 << 20


def nobody_runs(_: str) -> bool:
    return False


def write(path: Path, size_bytes: int = MIB, *, mtime_s: int | None = None) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(bytes(size_bytes))
    if mtime_s is not None:
        os.utime(path, (mtime_s, mtime_s))
    return path


async def recordings(library: Library) -> dict[str, Any]:
    listing: dict[str, Any] = json.loads(await library.list())["recordings"]
    return listing
