"""What is done to a recording server, and what must not come of it, on a machine that is busy."""

from __future__ import annotations

import os
import signal
import time
from contextlib import suppress
from typing import Any

from support.server import Server

FPS = 30


def both_record(server: Server) -> bool:
    """Whether both cameras have delivered for half a second."""
    cameras = server.status()["cameras"].values()
    return all(camera["frames"] > 0.5 * FPS for camera in cameras)


def stop_for(pid: int, seconds: float, *, is_replaced: bool = False) -> None:
    """Stop a process and let it go on; one that is replaced meanwhile may be gone by then."""
    os.kill(pid, signal.SIGSTOP)
    try:
        time.sleep(seconds)
    finally:
        with suppress(*[ProcessLookupError] * is_replaced):
            os.kill(pid, signal.SIGCONT)


def faults(stopped: dict[str, Any]) -> list[Any]:
    """What a stop found wrong with the footage."""
    assert stopped["transport_success"], stopped
    cameras = stopped["integrity"]["cameras"].values()
    return [fault for camera in cameras for fault in camera["faults"]]
