"""A server whose library has matches of two cameras, the first of them with teams and marks."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from support.matches import FPS, World, film_match, steady
from support.scenes import two_cameras
from support.server import SMALL, Server, serving

SECONDS = 20
TEAMS = {"home": "SV Süd", "away": "FC Nord"}
MARKS = (("goal", 3), ("corner", 15))


@contextmanager
def match_server(data: Path, *match_ids: str) -> Iterator[Server]:
    """A running server with these matches, each `SECONDS` long."""
    times, world = steady(SECONDS * FPS), World(two_cameras(320, 180))
    for match_id in match_ids:
        film_match(data / "recordings" / match_id, world, times, times)
    cameras = {0: {**SMALL, "name": "LEFT"}, 1: {**SMALL, "name": "RIGHT"}}
    with serving(data, cameras) as running:
        name_teams(running, match_ids[0])
        for kind, at in MARKS:
            marker = {"kind": kind, "at": at}
            path = f"/recordings/{match_ids[0]}/markers"
            running.client.post(path, json=marker).raise_for_status()
        yield running


def name_teams(server: Server, match_id: str) -> None:
    """Give a match its teams, and no other details."""
    server.client.put(f"/matches/{match_id}/details", json=TEAMS).raise_for_status()
