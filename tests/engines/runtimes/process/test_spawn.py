from __future__ import annotations

import os
import resource
import select
import subprocess
import sys
from pathlib import Path

import pytest

from support.engineprocesses import sleeper, start
from support.runtimes import pid_of
from touchline.engines.model.runtime import ImageNotFound, StartFailed
from touchline.engines.runtimes.process.runtime import ProcessRuntime
from touchline.engines.runtimes.process.spawn import (
    NICENESS,
    Spawned,
    ends_at_once,
    environment,
    mark_of,
    spawn,
    wait_for,
)

pytestmark = pytest.mark.anyio


async def test_a_process_has_limits_of_its_own_and_gives_way_to_this_server(
    runtime: ProcessRuntime,
) -> None:
    pid = pid_of((await start(runtime, sleeper())).id)
    _, most = resource.prlimit(pid, resource.RLIMIT_NOFILE)
    assert 0 < most <= 4096
    assert resource.prlimit(pid, resource.RLIMIT_CORE) == (0, 0)
    here = os.getpriority(os.PRIO_PROCESS, 0)
    assert os.getpriority(os.PRIO_PROCESS, pid) == min(19, here + NICENESS)
    assert int(Path(f"/proc/{pid}/oom_score_adj").read_text()) == 500


@pytest.mark.parametrize("nice", [7, 17])
def test_an_engine_gives_way_to_a_server_that_gives_way_itself(tmp_path: Path, nice: int) -> None:
    """0.1.0: it had a fixed priority, and no OOM score where the server may not raise one."""
    program = f"""
import os, sys
from pathlib import Path
from touchline.engines.runtimes.process.spawn import spawn
os.nice({nice} - os.getpriority(os.PRIO_PROCESS, 0))
made = spawn(["/bin/sleep", "60"], env={{}}, home=Path(sys.argv[1]), output=2, boot="b")
pid = made.process.pid
print(os.getpriority(os.PRIO_PROCESS, pid), Path(f"/proc/{{pid}}/oom_score_adj").read_text())
os.kill(pid, 9)
"""
    done = subprocess.run(
        [sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True
    )
    assert done.stdout.split() == [str(min(19, nice + NICENESS)), "500"]


def test_variables_of_an_order_replace_none_of_the_servers(tmp_path: Path) -> None:
    server = {"PATH": "/usr/bin", "TZ": "UTC", "API_KEY": "s3cret"}
    given = {"PATH": "/tmp/evil", "EXTRA": "1", "HOME": "/root", "TOUCHLINE_INSTANCE": "other"}
    env = environment("r1", given, home=tmp_path, server=server)
    assert env == {
        "PATH": "/usr/bin",
        "TZ": "UTC",
        "EXTRA": "1",
        "HOME": str(tmp_path),
        "TOUCHLINE_INSTANCE": "r1",
    }
    assert mark_of("r1") == b"TOUCHLINE_INSTANCE=r1"


def spawned(home: Path, *argv: str) -> Spawned:
    return spawn(argv, env={}, home=home, output=subprocess.DEVNULL, boot="boot")


@pytest.mark.parametrize(
    ("argv", "code"),
    [(("/bin/sh", "-c", "exit 3"), 3), (("/bin/sh", "-c", "kill -9 $$"), 137)],
)
def test_a_child_that_has_ended_is_waited_for_once(
    tmp_path: Path, argv: tuple[str, ...], code: int
) -> None:
    child = spawned(tmp_path, *argv)
    try:
        poll = select.poll()
        poll.register(child.pidfd, select.POLLIN)
        assert poll.poll(20_000)
        assert ends_at_once(child)
        assert wait_for(child.pidfd) == code
        assert wait_for(child.pidfd) is None
    finally:
        os.close(child.pidfd)


def test_a_program_that_waits_has_not_ended(tmp_path: Path) -> None:
    child = spawned(tmp_path, "/bin/sleep", "60")
    try:
        assert not ends_at_once(child)
        assert wait_for(child.pidfd) is None
    finally:
        os.kill(child.process.pid, 9)
        os.waitid(os.P_PIDFD, child.pidfd, os.WEXITED)
        os.close(child.pidfd)


def test_a_program_that_is_none_says_what_to_set_and_a_folder_that_is_gone_does_not(
    tmp_path: Path,
) -> None:
    with pytest.raises(ImageNotFound, match=r"engines\.runtime\.command"):
        spawned(tmp_path, "/no/such/program")
    with pytest.raises(StartFailed, match="could not be started"):
        spawned(tmp_path / "gone", "/bin/true")
    with pytest.raises(StartFailed, match="null byte"):
        spawned(tmp_path, "/bin/true", "a\0b")
