"""Telling processes apart, and those that are left of one."""

from __future__ import annotations

import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from touchline.engines.runtimes.process.kernel import procfs
from touchline.engines.runtimes.process.kernel.procfs import Identity, ProcessStat, Remains

BOOT = "this"
FAR = 1 << 25
"""Above every number that the kernel gives: it is nobody's, whatever runs on this machine."""


def stat(number: int, *, session: int, start: int, state: str = "S") -> ProcessStat:
    return ProcessStat(FAR + number, state, FAR + session, 0, start, 0)


def remains(number: int, start: int) -> Remains:
    return Remains(Identity(FAR + number, start, BOOT), b"MARK=1")


LEADER = stat(1, session=1, start=100)
CHILD = stat(2, session=1, start=120)
OTHER = stat(3, session=3, start=130)
REUSED = stat(1, session=1, start=200)
ZOMBIE = stat(4, session=1, start=140, state="Z")
OLDER = stat(5, session=1, start=90)


@pytest.mark.parametrize(
    ("stats", "left"),
    [
        ([LEADER, CHILD, OTHER], [LEADER, CHILD]),
        ([CHILD, OTHER], [CHILD]),
        ([OTHER], []),
        ([REUSED, OTHER], []),
        ([LEADER, ZOMBIE], [LEADER]),
        ([OLDER, CHILD], [CHILD]),
    ],
    ids=["all", "without leader", "none", "number reused", "ended", "older than the leader"],
)
def test_what_is_left_of_a_process_is_its_session(
    stats: list[ProcessStat], left: list[ProcessStat]
) -> None:
    assert list(procfs.left_of([remains(1, 100)], stats)) == left


def test_a_number_that_was_reused_hides_nothing_of_the_others() -> None:
    asked = [remains(1, 100), remains(3, 130)]
    assert list(procfs.left_of(asked, [REUSED, OTHER])) == [OTHER]
    assert list(procfs.left_of([], [LEADER])) == []


@contextmanager
def sleeping(program: Path, **environ: str) -> Iterator[int]:
    with subprocess.Popen([program, "600"], env=environ, start_new_session=True) as process:
        try:
            yield process.pid
        finally:
            process.kill()


def asleep(pid: int) -> ProcessStat:
    """Wait until the program has been loaded and sleeps."""
    deadline_s = time.monotonic() + 10
    while (seen := procfs.stat_of(pid)) is not None and seen.state != "S":
        assert time.monotonic() < deadline_s
        time.sleep(0.001)
    assert seen is not None
    return seen


def test_a_name_may_hold_anything(tmp_path: Path) -> None:
    program = tmp_path / "a) Z 1 (b"
    shutil.copy("/bin/sleep", program)
    with sleeping(program) as pid:
        seen = asleep(pid)
        assert (seen.pid, seen.session) == (pid, pid)
        assert seen.rss_bytes > 100_000
        assert pid in [each.pid for each in procfs.by_session()[pid]]


def test_the_leader_with_a_mark_is_the_first_that_had_it() -> None:
    boot = procfs.boot_id()
    mark = b"MARK=of-a-test"
    with sleeping(Path("/bin/sleep"), MARK="of-a-test") as first:
        # The clock of start times counts in hundredths of a second.
        subprocess.run(["/bin/sleep", "0.05"], check=True)
        with sleeping(Path("/bin/sleep"), MARK="of-a-test"):
            found = procfs.find_leader(mark, boot)
            assert found == procfs.identify(first, boot)
    assert procfs.find_leader(mark, boot) is None


def test_a_descriptor_is_of_exactly_this_process_or_of_none() -> None:
    boot = procfs.boot_id()
    with sleeping(Path("/bin/sleep")) as pid:
        identity = procfs.identify(pid, boot)
        assert identity is not None
        assert procfs.descriptor_of(identity, boot) is not None
        assert procfs.descriptor_of(identity, "another boot") is None
        another = Identity(pid, identity.start_ticks + 1, boot)
        assert procfs.descriptor_of(another, boot) is None
    assert procfs.descriptor_of(identity, boot) is None


def test_remains_of_an_earlier_boot_are_nobodys() -> None:
    with sleeping(Path("/bin/sleep"), MARK="of-a-test") as pid:
        identity = procfs.identify(pid, "an earlier boot")
        assert identity is not None
        procfs.kill_remains([Remains(identity, b"MARK=of-a-test")], procfs.boot_id())
        seen = procfs.stat_of(pid)
        assert seen is not None
        assert seen.state != "Z"
        procfs.kill_remains([Remains(identity, b"MARK=of-a-test")], "an earlier boot")
        seen = procfs.stat_of(pid)
        assert seen is not None
        assert seen.state == "Z"
