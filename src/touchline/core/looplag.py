"""Lag of the event loop: code that blocks the loop delays every answer and camera event."""

from __future__ import annotations

import logging
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from functools import partial

import anyio
from prometheus_client import Histogram

from touchline.core.metrics import Metrics
from touchline.core.tasks import Keep, keep_running

log = logging.getLogger(__name__)

LOOK_EVERY_S = 0.25
TELL_FROM_S = 0.5
BUCKETS_S = (0.001, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0)


@asynccontextmanager
async def open_loop_watch(metrics: Metrics, *, keep: Keep = keep_running) -> AsyncIterator[None]:
    """Measure the event loop's lag during the block, as `touchline_event_loop_lag_seconds`."""
    async with anyio.create_task_group() as tasks:
        lags = metrics.histogram(
            "touchline_event_loop_lag_seconds",
            "Delay of timers in the event loop",
            buckets=BUCKETS_S,
        )
        tasks.start_soon(partial(keep, "loop watch", _LagMeter(lags).once, every_s=0.0))
        yield
        tasks.cancel_scope.cancel()


class _LagMeter:
    """Measures how late each sleep ends, including the time between two sleeps."""

    def __init__(self, lags: Histogram) -> None:
        self._lags = lags
        self._slept_since_s = time.monotonic()

    async def once(self) -> None:
        """Sleep, and observe the delay."""
        await anyio.sleep(LOOK_EVERY_S)
        now_s = time.monotonic()
        lag_s = max(0.0, now_s - self._slept_since_s - LOOK_EVERY_S)
        self._slept_since_s = now_s
        self._lags.observe(lag_s)
        if lag_s >= TELL_FROM_S:
            log.warning("The event loop was blocked for %.2f s", lag_s)
