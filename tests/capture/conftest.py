"""An empty folder of recordings and its library."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.recordings import nobody_runs
from touchline.capture.library.library import Library


@pytest.fixture
def root(tmp_path: Path) -> Path:
    root = tmp_path / "recordings"
    root.mkdir()
    return root


@pytest.fixture
def library(root: Path) -> Library:
    return Library(root, is_running=nobody_runs)
