from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from support import segmentfiles
from support.wholematch import CAM0, CAM1
from touchline.capture.library.manifest import file as manifestfile
from touchline.capture.library.manifest.rescan import rescan


@pytest.fixture(scope="module")
def clean(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A finished match of two cameras, 2 s each."""
    folder = tmp_path_factory.mktemp("clean") / "m1"
    segmentfiles.write_segment(folder / "segments" / CAM0)
    segmentfiles.write_segment(folder / "segments" / CAM1, seed=2)
    manifestfile.save(folder, rescan(folder))
    return folder


@pytest.fixture
def match(clean: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(clean, tmp_path / "m1"))
