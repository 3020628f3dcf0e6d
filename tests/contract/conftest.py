"""A server with one recorded match."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.fakelibrary import FakeArchive
from support.fakesystem import FakeSystem


@pytest.fixture
def system(tmp_path: Path) -> FakeSystem:
    segments = tmp_path / "recordings" / "m1" / "segments"
    segments.mkdir(parents=True)
    (segments / "cam0_20260211_220241_00.mp4").write_bytes(b"0123456789")
    (segments.parent / "notes.json").write_bytes(b"{}")
    made = FakeSystem.make(tmp_path)
    made.capture.library.archives["m1"] = FakeArchive("m1.zip", (b"PK", b"rest"))
    return made
