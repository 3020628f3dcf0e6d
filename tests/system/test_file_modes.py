"""Who may read what the server leaves on the disk, whatever umask its caller has."""

from __future__ import annotations

import stat
import sys
from pathlib import Path

import pytest

from support.server import SMALL, Server, wait_for

WITH_UMASK = "import os, sys; os.umask(int(sys.argv[1], 8)); os.execv(sys.argv[2], sys.argv[2:])"


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


@pytest.mark.parametrize(
    ("umask", "setting", "footage", "folders"),
    [("000", "0640", 0o640, 0o750), ("077", "0664", 0o664, 0o775)],
)
def test_footage_has_its_mode_and_the_rest_is_private(
    tmp_path: Path, umask: str, setting: str, footage: int, folders: int
) -> None:
    data = tmp_path / "data"
    data.mkdir()
    server = Server(data, {0: SMALL}, file_mode=setting)
    server.program = [sys.executable, "-c", WITH_UMASK, umask, *server.program]
    server.start()
    try:
        server.started("derby")
        wait_for(lambda: server.get("/recording")["duration"] > 1, "some footage")
        assert server.stop()["success"]
        match = server.recordings / "derby"
        assert {mode(path) for path in match.rglob("*") if path.is_file()} == {footage}
        below = [path for path in match.rglob("*") if path.is_dir()]
        assert {mode(path) for path in [server.recordings, match, *below]} == {folders}
        private = [*data.glob("touchline.db*"), *(data / "logs").glob("*.log")]
        assert {path.name for path in private} >= {"touchline.db", "touchline.log", "cam0.log"}
        assert {path: mode(path) for path in private} == dict.fromkeys(private, 0o600)
        assert mode(data / "run") == 0o700
    finally:
        server.close()
