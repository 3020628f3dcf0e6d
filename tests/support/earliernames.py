"""Names that `test_layout.py` would not let anybody take today."""

from __future__ import annotations

TO_BE_RENAMED: set[str] = {
    "Clock",
    "Segment",
    "Storage",
}
"""Shrinks only. Names that are used for two things, or say nothing to a newcomer."""
