"""A worker that stands still while it starts or stops a recording does not cut its own waiting."""

from __future__ import annotations

import asyncio
import threading
import time
from typing import Any, cast

import pytest

pytest.importorskip("gi")

from touchline.worker.worker import Worker

TIMEOUT_S = 1.0


def stand_still() -> None:
    """Run nothing on the event loop for longer than the timeout, as a stopped process."""
    time.sleep(1.5 * TIMEOUT_S)


class Recorder:
    """Reaches the end of the footage a moment after this process stood still."""

    def __init__(self) -> None:
        self.end_reached = threading.Event()

    def end_at(self, _: int) -> None:
        loop = asyncio.get_running_loop()
        loop.call_soon(stand_still)
        loop.call_soon(loop.call_later, 0.1, self.end_reached.set)

    def close(self, _: float) -> dict[str, Any]:
        return {"timed_out": True}


class Camera:
    playing = True

    def status(self) -> dict[str, Any]:
        return {}

    def want(self, *, wanted: bool) -> None:
        assert not wanted


def test_a_start_across_a_pause_waits_for_the_first_frame() -> None:
    async def run() -> None:
        worker = Worker("cam0", idle_leave_s=60)
        loop = asyncio.get_running_loop()
        loop.call_soon(stand_still)
        loop.call_soon(loop.call_later, 0.1, worker._decided.set)
        await worker._decision(TIMEOUT_S, lambda: False)
        assert worker._decided.is_set()

    asyncio.run(run())


def test_a_stop_across_a_pause_waits_for_the_last_frame() -> None:
    async def run() -> None:
        worker = Worker("cam0", idle_leave_s=60)
        worker.recorder, worker.camera = cast("Any", Recorder()), cast("Any", Camera())
        report = await worker._stop_once(0, TIMEOUT_S)
        assert report["eos_received"], "the end of the footage was not waited for"

    asyncio.run(run())


def test_a_start_without_a_frame_is_given_up() -> None:
    async def run() -> None:
        worker = Worker("cam0", idle_leave_s=60)
        await worker._decision(0.2, lambda: False)
        assert not worker._decided.is_set()

    asyncio.run(run())
