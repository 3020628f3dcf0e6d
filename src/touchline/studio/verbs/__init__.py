"""Verbs of the studio: one module each, and its case in `load_verb`."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from typing import Any

Tell = Callable[[Mapping[str, Any]], None]
Run = Callable[[Mapping[str, Any], Tell, threading.Event], dict[str, Any]]
"""Function of a verb: its specification, the progress callback, and the stop event."""


def load_verb(name: str) -> Run:
    """Import the module of a verb, and only the libraries that it needs.

    Raises LookupError for an unknown name.
    """
    match name:
        case "archive":
            from touchline.studio.verbs.archive import run
        case "calibrate":
            from touchline.studio.verbs.calibrate import run
        case "capture":
            from touchline.studio.verbs.capture import run
        case "edges":
            from touchline.studio.verbs.edges import run
        case "follow":
            from touchline.studio.verbs.follow import run
        case "live":
            from touchline.studio.verbs.live import run
        case "panorama":
            from touchline.studio.verbs.panorama import run
        case "poster":
            from touchline.studio.verbs.poster import run
        case "reel":
            from touchline.studio.verbs.reel import run
        case "sprites":
            from touchline.studio.verbs.sprites import run
        case "upload":
            from touchline.studio.verbs.upload import run
        case _:
            raise LookupError(f"{name} is not a verb of the studio")
    return run
