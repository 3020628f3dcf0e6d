from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from touchline.worker.place import Taken, take

HOLD = """
import sys
from pathlib import Path
from touchline.worker.place import Taken, take, wait_for
{call}(Path(sys.argv[1]))
print("here", flush=True)
sys.stdin.read()
"""


@contextmanager
def process(call: str, lock: Path) -> Iterator[subprocess.Popen[str]]:
    """A process that asks for the place, says when it has it, and ends with its input."""
    command = [sys.executable, "-c", HOLD.format(call=call), str(lock)]
    pipe = subprocess.PIPE
    with subprocess.Popen(command, stdin=pipe, stdout=pipe, text=True) as made:
        try:
            yield made
        finally:
            made.kill()


def says(made: subprocess.Popen[str]) -> str:
    assert made.stdout is not None
    return made.stdout.readline().strip()


def test_one_worker_has_the_place_until_it_ends(tmp_path: Path) -> None:
    lock = tmp_path / "cam0.lock"
    with process("take", lock) as worker:
        assert says(worker) == "here"
        with pytest.raises(Taken):
            take(lock)
        worker.kill()
        worker.wait(30.0)
        with process("take", lock) as other:
            assert says(other) == "here"
    assert lock.stat().st_mode & 0o777 == 0o600


def test_a_standby_has_the_place_as_soon_as_the_worker_is_gone(tmp_path: Path) -> None:
    lock = tmp_path / "cam0.lock"
    with process("take", lock) as worker:
        assert says(worker) == "here"
        with process("wait_for", lock) as standby:
            worker.kill()
            assert says(standby) == "here"


def test_a_standby_whose_server_is_gone_ends(tmp_path: Path) -> None:
    lock = tmp_path / "cam0.lock"
    with process("take", lock) as worker:
        assert says(worker) == "here"
        with process("wait_for", lock) as standby:
            assert standby.stdin is not None
            standby.stdin.close()
            assert standby.wait(30.0) == 0
