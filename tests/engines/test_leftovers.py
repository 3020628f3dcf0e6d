"""The guard of the tests against engines that they leave."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from support import leftovers
from support.leftovers import nothing_left
from support.runtimes import pid_of
from support.server import wait_for


def test_an_engine_that_runs_on_is_found_and_one_that_has_ended_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(leftovers, "GONE_WITHIN_S", 0.2)
    environ = {"HOME": f"{tmp_path}/engines/1/home", "TOUCHLINE_INSTANCE": str(tmp_path)}

    def started() -> subprocess.Popen[bytes]:
        process = subprocess.Popen(["/bin/sleep", "60"], env=environ)
        # The kernel shows a program's environment a moment after it has been started.
        wait_for(Path(f"/proc/{process.pid}/environ").read_bytes, "it is shown")
        return process

    with nothing_left(tmp_path):
        ended = started()
        assert pid_of(str(tmp_path)) == ended.pid
        ended.kill()
        ended.wait()
    left = []
    try:
        with pytest.raises(AssertionError, match="sleep 60"), nothing_left(tmp_path):
            left.append(started())
        # What ran before is not this test's.
        with nothing_left(tmp_path):
            pass
        # Nor is what another session of tests runs.
        with nothing_left(tmp_path / "elsewhere"):
            pass
    finally:
        for each in left:
            each.kill()
            each.wait()
