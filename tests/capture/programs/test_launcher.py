from __future__ import annotations

import os
from pathlib import Path

import anyio
import pytest

from support.links import NAME, Ear, linked, make_link
from touchline.capture.programs.launcher import ProgramLauncher

pytestmark = pytest.mark.anyio


async def test_a_worker_has_a_clean_environment_a_session_and_a_log_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    pytest.importorskip("gi")
    for name, value in {
        "GST_PLUGIN_FEATURE_RANK": "x264enc:NONE",
        "GST_DEBUG": "1",
        "TOUCHLINE_AUTH__API_KEY": "secret",
    }.items():
        monkeypatch.setenv(name, value)
    ear = Ear()
    folder = tmp_path / ("a-long-name-" * 8) / ("and-a-longer-one-" * 5)  # past a socket's limit
    link = make_link(folder, ear)
    async with linked(link, ear):
        assert link.pid is not None
        raw = Path(f"/proc/{link.pid}/environ").read_bytes().decode().split("\0")
        environment = dict(entry.split("=", 1) for entry in raw if entry)
        touchline = {k: v for k, v in environment.items() if k.startswith(("GST_", "TOUCHLINE_"))}
        assert touchline == {
            "GST_DEBUG": "1",
            "GST_REGISTRY": str(folder / "run" / "gstreamer-registry.bin"),
        }
        assert environment["PATH"] == os.environ["PATH"]
        assert os.getsid(link.pid) == link.pid
        assert (folder / "log" / "cam0.log").exists()
        pid = link.pid
    assert not Path(f"/proc/{pid}").exists() or "Z" in Path(f"/proc/{pid}/stat").read_text()


async def test_a_program_gets_its_options_and_appends_to_its_log(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "said.py").write_text("import sys\nprint(*sys.argv[1:])\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    log_path = tmp_path / "log" / "cam0.log"
    launcher = ProgramLauncher(NAME, "said", NAME, tmp_path / "run", log_path, ("--idle", "5"))
    for options in ((), ("--standby",)):
        with anyio.fail_after(60):
            assert await (await launcher.launch(*options)).wait() == 0
    always = f"--directory {tmp_path / 'run'} --name cam0 --idle 5"
    assert log_path.read_text().splitlines() == [always, f"{always} --standby"]
