"""Data directories as earlier releases wrote them; `fixtures/releases/README.txt` lists them."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

RELEASES = Path(__file__).parents[1] / "fixtures" / "releases"
NAMES = sorted(path.name for path in RELEASES.iterdir() if path.is_dir() and path.name[0].isdigit())


def copy_of(release: str, folder: Path) -> Path:
    """Copy a release's data directory to `folder`/data and return where it is.

    Its events are moved in time, so that the newest has just happened: old ones are deleted.
    """
    data = folder / "data"
    shutil.copytree(RELEASES / release, data)
    with closing(sqlite3.connect(data / "touchline.db")) as connection, connection:
        events = connection.execute("SELECT id, at FROM events").fetchall()
        later = datetime.now(UTC) - max(datetime.fromisoformat(at) for _, at in events)
        for number, at in events:
            moved = (datetime.fromisoformat(at) + later).isoformat()
            connection.execute("UPDATE events SET at = ? WHERE id = ?", (moved, number))
    return data
