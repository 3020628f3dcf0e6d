from __future__ import annotations

import os
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import anyio
import pytest

from touchline.capture.programs.studio import StudioRun
from touchline.core.errors import Failed

pytestmark = pytest.mark.anyio

WITHIN_S = 120.0


def capture(folder: Path, *, wait_s: float) -> StudioRun:
    """A run that waits for pictures that nobody sends."""
    files = [str(folder / name) for name in ("cam0.png", "cam1.png")]
    spec = {"directory": str(folder), "name": "pair", "files": files, "wait_s": wait_s}
    return StudioRun("capture", spec, log_path=folder / "studio.log")


def state_of(run: StudioRun) -> str:
    """The letter that the kernel has for the state of its process."""
    assert run._process is not None
    stat = Path(f"/proc/{run._process.pid}/stat").read_text()
    return stat.rpartition(")")[2].split()[0]


async def test_a_refusal_of_the_studio_is_told_in_its_words(tmp_path: Path) -> None:
    told: list[Mapping[str, Any]] = []
    with pytest.raises(Failed, match="cam0 and cam1 sent no frames") as caught:
        await capture(tmp_path, wait_s=0.1).run(told.append)
    assert caught.value.code == "no_pair"
    assert "preview" in str(caught.value.details["advice"])
    assert told[0]["listening"] is True
    assert (tmp_path / "studio.log").stat().st_mode & 0o777 == 0o600


async def test_a_studio_that_dies_is_said_with_where_to_look(tmp_path: Path) -> None:
    run = capture(tmp_path, wait_s=60.0)

    def kill(_: Mapping[str, Any]) -> None:
        assert run._process is not None
        os.kill(run._process.pid, 9)

    with pytest.raises(Failed, match=r"status -9\); see studio\.log") as caught:
        await run.run(kill)
    assert caught.value.code == "studio_lost"


async def test_a_run_that_is_cancelled_leaves_no_process(tmp_path: Path) -> None:
    run = capture(tmp_path, wait_s=60.0)
    with anyio.fail_after(WITHIN_S):
        async with anyio.create_task_group() as tasks:

            def stop(_: Mapping[str, Any]) -> None:
                tasks.cancel_scope.cancel()

            tasks.start_soon(run.run, stop)
    assert run._process is not None
    assert run._process.returncode is not None


async def test_a_paused_run_stands_still_and_can_be_ended(tmp_path: Path) -> None:
    run = capture(tmp_path, wait_s=60.0)
    with anyio.fail_after(WITHIN_S):
        async with anyio.create_task_group() as tasks:
            listening = anyio.Event()
            tasks.start_soon(run.run, lambda _: listening.set())
            await listening.wait()
            run.pause(paused=True)
            await until(lambda: state_of(run) == "T")
            run.pause(paused=False)
            await until(lambda: state_of(run) != "T")
            run.pause(paused=True)
            tasks.cancel_scope.cancel()
    assert run._process is not None
    assert run._process.returncode is not None


async def until(condition: Any) -> None:
    deadline_s = time.monotonic() + WITHIN_S
    while not condition():
        assert time.monotonic() < deadline_s
        await anyio.sleep(0.01)


async def test_secrets_of_the_server_stay_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TOUCHLINE_AUTH__API_KEY", "s3cret")
    run = capture(tmp_path, wait_s=0.1)
    environ: list[bytes] = []

    def look(_: Mapping[str, Any]) -> None:
        assert run._process is not None
        environ.append(Path(f"/proc/{run._process.pid}/environ").read_bytes())

    with pytest.raises(Failed):
        await run.run(look)
    assert environ
    assert b"s3cret" not in environ[0]
