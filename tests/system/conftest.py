"""No module of tests leaves an engine that runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from support.leftovers import nothing_left


@pytest.fixture(scope="module", autouse=True)
def _no_engine_left(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    with nothing_left(tmp_path_factory.getbasetemp()):
        yield
