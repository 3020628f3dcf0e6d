"""What a killed server left is found, adopted or left alone by the next."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from support.engineprocesses import (
    is_alive,
    next_of,
    shell,
    sleeper,
    start,
    stop_all,
    until,
    with_mark,
)
from support.runtimes import LABEL, pid_of, process_runtime
from touchline.core.errors import Invalid
from touchline.engines.model.runtime import NameInUse
from touchline.engines.runtimes.process.kernel import procfs

pytestmark = pytest.mark.anyio

DYING_SERVER = Path(__file__).parents[3] / "support" / "dyingserver.py"


def killed_server(directory: Path, when: str, *names: str) -> list[str]:
    """Let a server start these and be killed; the ids that it told."""
    command = [sys.executable, str(DYING_SERVER), str(directory), when, *names]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as server:
        assert server.stdout is not None
        told = [server.stdout.readline().strip() for _ in names]
        server.kill()
    return [each for each in told if each]


async def test_what_a_killed_server_started_runs_on_and_is_adopted(directory: Path) -> None:
    ids = killed_server(directory, "later", "one", "two")
    pids = {each: pid_of(each) for each in ids}
    async with process_runtime(directory) as runtime:
        listed = {each.id: each for each in await runtime.list()}
        assert {each: listed[each].state for each in ids} == dict.fromkeys(ids, "running")
        assert dict(listed[ids[1]].labels) == {"a": "two", LABEL[0]: LABEL[1]}
        with pytest.raises(NameInUse):
            await start(runtime, sleeper("one"))
        async with runtime.watch() as events:
            os.kill(pids[ids[0]], signal.SIGKILL)
            died = await next_of(events, "died")
            # Only its parent could know how it ended.
            assert (died.instance_id, died.exit_code) == (ids[0], None)
        await stop_all(runtime)
    assert not any(map(is_alive, pids.values()))
    assert list(directory.iterdir()) == []


async def test_a_process_whose_number_the_killed_server_could_not_note_is_found(
    directory: Path,
) -> None:
    assert killed_server(directory, "before its number", "one") == []
    (home,) = directory.iterdir()
    await until(lambda: with_mark(home.name))
    assert json.loads((home / "record.json").read_text())["process"] is None
    async with process_runtime(directory) as runtime:
        (seen,) = await runtime.list()
        assert (seen.id, seen.name, seen.state) == (home.name, "one", "running")
        await runtime.stop(seen.id, grace_s=1)
    assert with_mark(home.name) == []


async def test_of_a_start_that_the_killed_server_only_meant_to_do_nothing_is_left(
    directory: Path,
) -> None:
    assert killed_server(directory, "before the process", "one") == []
    assert len(list(directory.iterdir())) == 1
    async with process_runtime(directory) as runtime:
        assert list(await runtime.list()) == []
        await start(runtime, sleeper("one"))
        await stop_all(runtime)
    assert list(directory.iterdir()) == []


async def test_what_died_while_no_server_ran_is_shown_as_ended_until_it_is_stopped(
    directory: Path,
) -> None:
    async with process_runtime(directory) as runtime:
        one = await start(runtime, shell("setsid sleep 600 & exec sleep 600"))
        await until(lambda: len(with_mark(one.id)) == 2)
    pid = min(with_mark(one.id))
    os.kill(pid, signal.SIGKILL)
    async with process_runtime(directory) as runtime:
        (seen,) = await runtime.list()
        assert (seen.id, seen.state, seen.exit_code) == (one.id, "exited", None)
        assert await runtime.usage() == {}
        with pytest.raises(NameInUse):
            await start(runtime, sleeper())
        await until(lambda: not with_mark(one.id))  # what it had started is not left either
        await runtime.stop(one.id, grace_s=1)
        assert list(await runtime.list()) == []


@contextmanager
def stranger() -> Iterator[int]:
    """The number of a process that is nobody's."""
    with subprocess.Popen(["/bin/sleep", "600"], start_new_session=True) as process:
        try:
            yield process.pid
        finally:
            process.kill()


@pytest.mark.parametrize("changed", ["start_ticks", "boot_id"])
async def test_a_number_that_another_process_has_now_is_left_alone(
    directory: Path, changed: str
) -> None:
    directory.mkdir()
    with stranger() as other:
        identity = procfs.identify(other, procfs.boot_id())
        assert identity is not None
        process = {"pid": other, "start_ticks": identity.start_ticks, "boot_id": "x"}
        process["boot_id"] = identity.boot_id
        process[changed] = 4711 if changed == "start_ticks" else "another"
        home = directory / ("a" * 64)
        home.mkdir()
        record = {
            "id": home.name,
            "name": "old",
            "image": "any",
            "command": ["/bin/sleep"],
            "created_at": "2026-01-01T00:00:00Z",
            "bind_address": "127.0.0.1",
            "labels": dict([LABEL]),
            "process": process,
        }
        (home / "record.json").write_text(json.dumps(record))
        async with process_runtime(directory) as runtime:
            (seen,) = await runtime.list()
            assert (seen.name, seen.state) == ("old", "exited")
            await runtime.stop(seen.id, grace_s=1)
            assert list(await runtime.list()) == []
        assert is_alive(other)


async def test_a_directory_that_cannot_be_one_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("x")
    with pytest.raises(Invalid, match=r"engines\.runtime\.directory"):
        async with process_runtime(tmp_path / "file"):
            pytest.fail("it was opened")
