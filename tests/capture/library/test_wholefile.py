from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from touchline.capture.library.wholefile import write_whole


def test_writers_of_one_file_do_not_meet(tmp_path: Path) -> None:
    path = tmp_path / "match.json"
    contents = [bytes([n]) * 200_000 for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            list(threads.map(lambda content: write_whole(path, content), contents))
            assert path.read_bytes() in contents
    assert [p.name for p in tmp_path.iterdir()] == ["match.json"]


def test_a_planted_link_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("kept")
    (tmp_path / ".match.json.new").symlink_to(victim)
    write_whole(tmp_path / "match.json", b"{}")
    assert victim.read_text() == "kept"
    assert (tmp_path / "match.json").read_bytes() == b"{}"


def test_what_cannot_be_written_leaves_the_old_file_and_nothing_else(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    path.mkdir()
    (path / "inside").touch()
    with pytest.raises(OSError, match="directory"):
        write_whole(path, b"{}")
    assert [p.name for p in tmp_path.iterdir()] == ["folder"]
