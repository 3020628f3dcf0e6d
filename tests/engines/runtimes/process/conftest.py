"""A runtime of processes, of which nothing is left."""

from __future__ import annotations

import os
import signal
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from support.engineprocesses import runs_in, stop_all
from support.runtimes import process_runtime
from touchline.engines.runtimes.process.kernel import procfs
from touchline.engines.runtimes.process.runtime import ProcessRuntime


@pytest.fixture
def directory(tmp_path: Path) -> Iterator[Path]:
    """Where records are; a test that fails leaves no process either."""
    directory = tmp_path / "engines"
    yield directory
    for each in procfs.all_stats():
        if runs_in(each.pid, directory):
            os.kill(each.pid, signal.SIGKILL)


@pytest.fixture
async def runtime(directory: Path) -> AsyncIterator[ProcessRuntime]:
    async with process_runtime(directory) as opened:
        yield opened
        await stop_all(opened)
