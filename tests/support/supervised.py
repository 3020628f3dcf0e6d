"""Supervision for parts that a test opens by itself."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from typing import Any, cast

from touchline.core.metrics import Metrics
from touchline.core.supervision import Supervisor, Tasks, open_tasks


def supervisor(record: Callable[..., Any] = lambda *_args, **_details: None) -> Supervisor:
    """A supervisor that tells nobody, or `record`."""
    return Supervisor(record, Metrics(), half="test")


@asynccontextmanager
async def supervised_tasks() -> AsyncIterator[Tasks]:
    """Tasks that are cancelled at the end."""
    async with open_tasks(supervisor()) as tasks:
        yield tasks


class NoTasks:
    """Tasks of what is not running: nothing that is started ever begins."""

    def start_soon(self, work: Callable[..., Any], *args: Any, name: str) -> None:
        """Leave it out."""


def no_tasks() -> Tasks:
    """Tasks for parts that a test builds and does not run."""
    return cast("Tasks", NoTasks())
