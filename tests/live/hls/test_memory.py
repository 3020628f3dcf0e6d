from __future__ import annotations

import stat
from pathlib import Path

from touchline.live.hls.memory import clear_folder, make_folder


def test_the_folder_is_private_empty_and_the_same_for_the_same_server(tmp_path: Path) -> None:
    memory, run = tmp_path / "memory", tmp_path / "run"
    memory.mkdir()
    folder = make_folder(run, memory)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    (folder / "left.m4s").write_bytes(b"x")
    folder.chmod(0o755)
    assert make_folder(run, memory) == folder
    assert list(folder.iterdir()) == []
    assert stat.S_IMODE(folder.stat().st_mode) == 0o700
    assert make_folder(tmp_path / "other", memory) != folder
    clear_folder(folder)
    assert not folder.exists()


def test_what_somebody_else_put_there_is_not_used(tmp_path: Path) -> None:
    memory, run, strange = tmp_path / "memory", tmp_path / "run", tmp_path / "strange"
    for each in (memory, run, strange):
        each.mkdir()
    (strange / "precious").write_bytes(b"x")
    planted = make_folder(run, memory)
    clear_folder(planted)
    planted.symlink_to(strange)
    assert make_folder(run, memory) == run / "hls"
    assert (strange / "precious").exists()
