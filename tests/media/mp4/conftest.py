from __future__ import annotations

from pathlib import Path

import pytest

from support import segmentfiles

FRAGMENTS = 4


@pytest.fixture(params=[True, False], ids=["finished", "open"])
def clean(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    path = tmp_path / "clean.mp4"
    return segmentfiles.write_segment(path, FRAGMENTS, finalized=request.param, frame_bytes=20)


@pytest.fixture
def finished(tmp_path: Path) -> Path:
    return segmentfiles.write_segment(tmp_path / "finished.mp4", FRAGMENTS, frame_bytes=20)


@pytest.fixture
def unfinished(tmp_path: Path) -> Path:
    path = tmp_path / "unfinished.mp4"
    return segmentfiles.write_segment(path, FRAGMENTS, finalized=False, frame_bytes=20)
