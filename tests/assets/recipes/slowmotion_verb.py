"""Verb of the studio: the other half of the job. Goes to studio/verbs/slowmotion.py."""

from __future__ import annotations

import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from touchline.studio.verbs import Tell


def run(spec: Mapping[str, Any], tell: Tell, stopping: threading.Event) -> dict[str, Any]:
    """Write a file that says how slow the match would be."""
    del stopping  # nothing here takes long
    tell({"done": 1, "total": 1})
    (Path(spec["folder"]) / "slowmotion.txt").write_text(f"1:{spec['factor']}\n", "utf-8")
    return {"file": "slowmotion.txt"}
