"""How far a pull is."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from touchline.engines.runtimes.docker.images.pull import Layers, PullProgress

BEGUN = PullProgress("some/image:1", datetime(2026, 11, 26, tzinfo=UTC))


def downloading(layer: str, current: int, total: int) -> dict[str, Any]:
    detail = {"current": current, "total": total}
    return {"status": "Downloading", "id": layer, "progressDetail": detail}


def test_the_layers_known_so_far_are_added_up() -> None:
    layers, progress = Layers(), BEGUN
    seen = []
    for line in (
        {"status": "Pulling from some/image", "id": "1"},
        downloading("aa", 10, 100),
        downloading("bb", 20, 200),
        downloading("aa", 60, 100),
        {"status": "Download complete", "id": "aa", "progressDetail": {}},
        {"status": "Extracting", "id": "aa", "progressDetail": {"current": 1, "total": 100}},
        {"status": "Pull complete", "id": "aa"},
        {"status": "Already exists", "id": "cc"},
    ):
        progress = layers.update_progress(progress, line)
        seen.append((progress.done_bytes, progress.total_bytes))
    assert seen == [
        (0, 0),
        (10, 100),
        (30, 300),
        (80, 300),
        (120, 300),
        (120, 300),
        (120, 300),
        (120, 300),
    ]
    assert (progress.image, progress.since) == (BEGUN.image, BEGUN.since)
    assert progress.status == "Already exists"
