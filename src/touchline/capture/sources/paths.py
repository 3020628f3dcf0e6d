"""Paths in settings."""

from __future__ import annotations

from pathlib import Path


def absolute(path: Path) -> Path:
    """Expand `~` in a path. Raises ValueError for a relative path."""
    path = path.expanduser()
    if not path.is_absolute() or "\0" in str(path):
        raise ValueError("must be an absolute path")
    return path
