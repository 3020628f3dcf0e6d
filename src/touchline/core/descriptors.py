"""File descriptors: the limit of the process, and a reserve for the recorder."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

MOST = 65_536
"""Upper bound of the limit; more is not needed, and kernel tables grow with it."""

KEPT_FREE = 512
"""Descriptors kept for everything but connections: files, pipes, databases, engines, workers."""

SPARE = 24
"""Size of the reserve; starting a process and connecting to it takes about ten."""


def raise_limit(most: int = MOST) -> int:
    """Raise the soft limit to the hard one, at most to `most`; return the new limit.

    Child processes inherit it.
    """
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
    if soft != resource.RLIM_INFINITY and soft >= wanted:
        return soft
    if soft == resource.RLIM_INFINITY:
        return most
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    except (OSError, ValueError) as error:  # a container may forbid it
        log.warning("The limit of %d open files could not be raised: %s", soft, error)
        return soft
    return wanted


def connections_within(limit: int, wanted: int) -> int:
    """Return how many connections `limit` descriptors allow, at most `wanted`."""
    kept = KEPT_FREE if limit >= 2 * KEPT_FREE else limit // 2
    return max(1, min(wanted, limit - kept))


class SpareDescriptors:
    """Descriptors held open in reserve for when no others are available.

    Code that starts or connects to a recording process borrows them.
    """

    def __init__(self, count: int = SPARE) -> None:
        self._count = count
        self._held: list[int] = []
        self._lent = 0
        self.refill()

    @property
    def held(self) -> int:
        """Number of descriptors in the reserve."""
        return len(self._held)

    def refill(self) -> None:
        """Refill the reserve with as many descriptors as are available."""
        if self._lent:
            return
        with contextlib.suppress(OSError):  # none available: the next refill tries again
            while len(self._held) < self._count:
                self._held.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Release the reserve during this block."""
        self._lent += 1
        self._release_held()
        try:
            yield
        finally:
            self._lent -= 1
            self.refill()

    def close(self) -> None:
        """Release the reserve permanently."""
        self._count = 0
        self._release_held()

    def _release_held(self) -> None:
        while self._held:
            os.close(self._held.pop())
