"""File descriptors: as many as the machine allows, and some that are kept for the recorder."""

from __future__ import annotations

import contextlib
import logging
import os
import resource
from collections.abc import Iterator
from contextlib import contextmanager

log = logging.getLogger(__name__)

MOST = 65_536
"""More are of no use here, and tables of the kernel grow with them."""

KEPT_FREE = 512
"""What is left for everything but connections: files, pipes, databases, engines, workers."""

SPARE = 24
"""To start a process and to connect to it takes about ten."""


def raise_limit(most: int = MOST) -> int:
    """Raise the soft limit up to the hard one, at most to `most`; returns the new limit.

    Processes that are started from here inherit it.
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
    """Return how many connections `limit` descriptors allow, `wanted` at the most."""
    kept = KEPT_FREE if limit >= 2 * KEPT_FREE else limit // 2
    return max(1, min(wanted, limit - kept))


class SpareDescriptors:
    """Descriptors that are held open in reserve, for when no others are left.

    Whoever starts or reaches a process that records borrows them. Belongs to the event loop.
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
        """Fill the reserve up, as far as descriptors can be had."""
        if self._lent:
            return
        with contextlib.suppress(OSError):  # none to be had: the next look tries again
            while len(self._held) < self._count:
                self._held.append(os.open(os.devnull, os.O_RDONLY | os.O_CLOEXEC))

    @contextmanager
    def lent(self) -> Iterator[None]:
        """Release the reserve for this block."""
        self._lent += 1
        self._let_go()
        try:
            yield
        finally:
            self._lent -= 1
            self.refill()

    def close(self) -> None:
        """Release the reserve for good."""
        self._count = 0
        self._let_go()

    def _let_go(self) -> None:
        while self._held:
            os.close(self._held.pop())
