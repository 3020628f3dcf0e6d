"""Engines that a test has left running: processes and containers that nobody will end."""

from __future__ import annotations

import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

MARK = b"TOUCHLINE_INSTANCE="
"""In the environment of each engine that is a process, and of what it starts."""

GONE_WITHIN_S = 5.0
"""A process that has been killed is seen for a moment more."""


def engine_processes(below: Path) -> dict[int, str]:
    """The engines whose homes are below this folder, by process, with their command lines."""
    found = {}
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            environ = (entry / "environ").read_bytes().split(b"\0")
            if not any(each.startswith(MARK) for each in environ):
                continue
            if any(each.startswith(f"HOME={below}/".encode()) for each in environ):
                words = (entry / "cmdline").read_bytes().split(b"\0")
                found[int(entry.name)] = b" ".join(words).decode(errors="replace").strip()
        except OSError:
            continue  # it has ended meanwhile, or is another user's
    return found


@contextmanager
def nothing_left(below: Path) -> Iterator[None]:
    """Fail where an engine with its home below this folder runs at the end, and did not before."""
    before = engine_processes(below)
    yield
    deadline = time.monotonic() + GONE_WITHIN_S
    while True:
        left = {pid: words for pid, words in engine_processes(below).items() if pid not in before}
        if not left:
            return
        if time.monotonic() > deadline:
            raise AssertionError(f"engines run on after the tests that started them: {left}")
        time.sleep(0.05)
