"""Jobs of the studio: one module each, with a loader and a line in `VERBS`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

Tell = Callable[[Mapping[str, Any]], None]
Run = Callable[[Mapping[str, Any], Tell, threading.Event], dict[str, Any]]
"""Function of a job: its specification, the progress callback, and the stop event."""


def _archive() -> Run:
    from touchline.studio.verbs.archive import run

    return run


def _calibrate() -> Run:
    from touchline.studio.verbs.calibrate import run

    return run


def _capture() -> Run:
    from touchline.studio.verbs.capture import run

    return run


def _edges() -> Run:
    from touchline.studio.verbs.edges import run

    return run


def _follow() -> Run:
    from touchline.studio.verbs.follow import run

    return run


def _live() -> Run:
    from touchline.studio.verbs.live import run

    return run


def _panorama() -> Run:
    from touchline.studio.verbs.panorama import run

    return run


def _poster() -> Run:
    from touchline.studio.verbs.poster import run

    return run


def _reel() -> Run:
    from touchline.studio.verbs.reel import run

    return run


def _sprites() -> Run:
    from touchline.studio.verbs.sprites import run

    return run


def _upload() -> Run:
    from touchline.studio.verbs.upload import run

    return run


VERBS: Mapping[str, Callable[[], Run]] = {
    "archive": _archive,
    "calibrate": _calibrate,
    "capture": _capture,
    "edges": _edges,
    "follow": _follow,
    "live": _live,
    "panorama": _panorama,
    "poster": _poster,
    "reel": _reel,
    "sprites": _sprites,
    "upload": _upload,
}
"""Loaders of jobs by name. Each loads only the libraries that it needs."""
