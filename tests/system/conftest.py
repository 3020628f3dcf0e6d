"""Servers that several modules use; none leaves an engine that runs."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest

from support.leftovers import nothing_left

if TYPE_CHECKING:
    from support.engineserver import EngineServer


@pytest.fixture(scope="module", autouse=True)
def _no_engine_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with nothing_left(tmp_path_factory.getbasetemp()):
        yield


@pytest.fixture(scope="module")
def server(two_views: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[EngineServer]:
    """A server with two cameras that see one world, and an engine."""
    from support.dashboard import whole_server

    with whole_server(tmp_path_factory.mktemp("server"), two_views) as running:
        yield running
