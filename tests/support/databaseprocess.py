"""A database in a process of its own, which what a disk does to it can end by a signal.

Each line that it reads lets it write and read once. It prints whether a row was written, and how
many it reads, or -1.
"""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import anyio

import touchline
from support.eventrows import count, put, sqlite
from touchline.core.database import dialects
from touchline.core.database.database import open_database
from touchline.core.errors import Failed

TESTS = Path(__file__).parents[1]


class DatabaseProcess:
    """The process that has the database at this path open."""

    def __init__(self, process: subprocess.Popen[str], path: Path) -> None:
        self._process, self._path = process, path

    def use(self) -> tuple[bool, int]:
        """Whether it could write a row, and how many it reads; -1: it could not read."""
        assert self._process.stdin is not None
        assert self._process.stdout is not None
        print("use", file=self._process.stdin, flush=True)
        answer = self._process.stdout.readline().split()
        assert answer, f"it has ended with status {self._process.wait(10)}"
        return answer[0] == "True", int(answer[1])

    def files(self) -> list[Path]:
        """The files of the database that are there."""
        return sorted(self._path.parent.glob(f"{self._path.name}*"))

    def sync(self) -> None:
        """Put its files on the disk, so that the kernel looks at the next write to a mapping."""
        for path in self.files():
            descriptor = os.open(path, os.O_RDONLY)
            try:
                os.fsync(descriptor)
            finally:
                os.close(descriptor)

    def end(self) -> int:
        """Let it close the database; the exit status."""
        assert self._process.stdin is not None
        self._process.stdin.close()
        return self._process.wait(30)


@contextmanager
def database_process(path: Path) -> Iterator[DatabaseProcess]:
    """A process with the database at this path."""
    source = Path(touchline.__file__).parents[1]
    process = subprocess.Popen(
        [sys.executable, "-m", "support.databaseprocess", str(path)],
        env={**os.environ, "PYTHONPATH": f"{TESTS}:{source}"},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )
    try:
        yield DatabaseProcess(process, path)
    finally:
        process.kill()
        process.wait()
        for pipe in (process.stdin, process.stdout):
            if pipe is not None:
                pipe.close()


async def _main(path: Path) -> None:
    dialects.BUSY_TIMEOUT_MS = 200
    async with open_database(sqlite(path)) as database:
        for _ in iter(sys.stdin.readline, ""):
            written, rows = True, -1
            # Reading comes first: it marks in the index what it has seen.
            try:
                rows = await database.read(count)
            except Failed as error:
                sys.stderr.write(f"not read: {error}\n")
            try:
                await database.write(put)
            except Failed as error:
                sys.stderr.write(f"not written: {error}\n")
                written = False
            sys.stdout.write(f"{written} {rows}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    anyio.run(_main, Path(sys.argv[1]))
