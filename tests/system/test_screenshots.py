"""The pictures of docs/dashboard.md can be taken anew, as `scripts/screenshots` does."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from support.dashboard import ROOT
from support.screenshots import take_pictures


@pytest.mark.slow
def test_every_picture_of_the_documents_is_taken(tmp_path: Path) -> None:
    take_pictures(tmp_path)
    text = (ROOT / "docs" / "dashboard.md").read_text()
    assert {path.name for path in tmp_path.iterdir()} == set(
        re.findall(r"images/([\w-]+\.jpg)", text)
    )
    for path in tmp_path.iterdir():
        assert path.read_bytes().startswith(b"\xff\xd8")
        assert path.stat().st_size > 10_000
