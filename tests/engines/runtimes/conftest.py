from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.docker import Docker, any_daemon


@pytest.fixture(scope="session")
def docker() -> Iterator[Docker]:
    """A Docker daemon with the tests' images; nothing bad is done to it."""
    with any_daemon() as daemon:
        yield daemon
