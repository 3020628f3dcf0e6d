"""A volunteer's day: a match is named, deleted by mistake, restored; then space is needed."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from support import disks
from support.frames import counters
from support.server import Server, serving, wait_for

MIN_FREE_BYTES = 16 << 20
DERBY = {"home": "SV Süd", "away": "FC Nord"}


@pytest.fixture
def image(tmp_path: Path) -> Iterator[disks.Image]:
    yield from disks.image(tmp_path)


def ballast(path: Path, size_bytes: int) -> None:
    with path.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, size_bytes)


def sent(server: Server, method: str, path: str, **options: Any) -> Any:
    answer = server.client.request(method, path, **options)
    assert answer.status_code == 200, answer.text
    return answer.json()


def filmed(server: Server, match_id: str) -> None:
    server.started(match_id, details=DERBY)
    cameras = server.status()["cameras"]
    wait_for(lambda: all(c["frames"] > 15 for c in server.status()["cameras"].values()), "footage")
    assert set(cameras) == {"camera_0", "camera_1"}
    assert server.stop()["success"]


def library_events(server: Server) -> list[str]:
    root = str(server.client.base_url).removesuffix("/api/v1/")
    events = server.client.get(f"{root}/events", params={"event_type": "library"}).json()
    return [each["category"] for each in reversed(events)]


def test_a_deleted_match_comes_back_and_the_trash_goes_first_where_space_is_needed(
    tmp_path: Path, image: disks.Image
) -> None:
    recordings = image.at / "recordings"
    settings: dict[str, Any] = {"recordings_dir": str(recordings), "min_free_bytes": MIN_FREE_BYTES}
    with serving(tmp_path, **settings) as server:
        filmed(server, "derby")
        assert server.get("/recordings")["recordings"]["derby"]["details"]["home"] == "SV Süd"
        changed = sent(server, "PUT", "/matches/derby/details", json={**DERBY, "venue": "Pitch 2"})
        assert changed["venue"] == "Pitch 2"
        before = counters(server.segments("derby", 0)[0])

        assert sent(server, "POST", "/matches/derby/trash")["days_left"] == 7
        assert server.get("/recordings")["recordings"] == {}
        assert sent(server, "POST", "/trash/derby/restore")["match_id"] == "derby"
        assert counters(server.segments("derby", 0)[0]) == before
        assert server.get("/matches/derby/details")["venue"] == "Pitch 2"

        ballast(recordings / "derby" / "much.mp4", 20 << 20)
        sent(server, "POST", "/matches/derby/trash")
        filmed_before = [each["match_id"] for each in server.get("/trash")["matches"]]
        assert filmed_before == ["derby"]
        assert library_events(server) == ["trashed", "restored", "trashed"]
        server.kill()
        server.start()
        (entry,) = server.get("/trash")["matches"]
        assert (entry["match_id"], entry["details"]["away"]) == ("derby", "FC Nord")

        ballast(image.at / "ballast", shutil.disk_usage(image.at).free - (10 << 20))
        filmed(server, "final")
        assert server.get("/trash")["matches"] == []
        assert set(server.get("/recordings")["recordings"]) == {"final"}
        assert library_events(server) == ["trashed", "restored", "trashed", "purged"]
