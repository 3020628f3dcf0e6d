"""A PostgreSQL of the tests' own: in a temporary folder, on a socket there, and gone at the end."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psycopg
import pytest

from touchline.core.database.database import database_url

_USER = "postgres"
"""PostgreSQL refuses to run as root; Debian's package makes this user."""


def _programs() -> Path:
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    if not found:
        pytest.skip("PostgreSQL is not installed (Debian: postgresql)")
    return found[-1].parent


class Cluster:
    """A running server; every `database()` is a new and empty one."""

    def __init__(self, folder: Path, programs: Path) -> None:
        self._folder, self._programs = folder, programs
        self._data = folder / "data"

    def start(self) -> None:
        self._run("initdb", "-D", str(self._data), "-A", "trust", "-U", "tests", "--no-sync")
        self.resume()

    def resume(self) -> None:
        """Start it again after `stop`."""
        options = f"-k {self._folder} -c listen_addresses= -c fsync=on"
        log = str(self._folder / "server.log")
        self._run("pg_ctl", "-D", str(self._data), "-w", "-l", log, "-o", options, "start")

    def stop(self) -> None:
        """As after a power cut: nobody is waited for."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "-m", "immediate", "stop")

    def promote(self) -> None:
        """Make a standby a server that writes."""
        self._run("pg_ctl", "-D", str(self._data), "-w", "promote")

    @contextmanager
    def standby(self) -> Iterator[Cluster]:
        """A second server that follows this one, and only reads until it is promoted."""
        folder = Path(tempfile.mkdtemp(prefix="touchline-pg-"))
        try:
            if os.geteuid() == 0:
                shutil.chown(folder, _USER, _USER)
            made = Cluster(folder, self._programs)
            self._client("pg_basebackup", "-D", str(made._data), "-R", "-c", "fast", "--no-sync")
            made.resume()
            try:
                yield made
            finally:
                made.stop()
        finally:
            shutil.rmtree(folder, ignore_errors=True)

    def url_of(self, name: str) -> str:
        """The URL of a database with a role of its name."""
        return database_url(f"postgresql://{name}@/{name}?host={self._folder}")

    def connect(self, name: str = "postgres") -> psycopg.Connection[tuple[object, ...]]:
        """A connection that is not the program's."""
        return psycopg.connect(f"host={self._folder} user=tests dbname={name}", autocommit=True)

    def database(self) -> str:
        """The URL of a new database."""
        name = f"t{uuid.uuid4().hex}"
        self.order(f'CREATE DATABASE "{name}"')
        return database_url(f"postgresql://tests@/{name}?host={self._folder}")

    def owned_database(self) -> tuple[str, str]:
        """The URL of a new database whose owner has no rights beyond it, and the name of both."""
        name = f"o{uuid.uuid4().hex}"
        self.order(f'CREATE ROLE "{name}" LOGIN', f'CREATE DATABASE "{name}" OWNER "{name}"')
        return self.url_of(name), name

    def order(self, *statements: str, database: str = "postgres") -> None:
        """Run statements with every right."""
        with self.connect(database) as connection:
            for statement in statements:
                connection.execute(statement.encode())

    def disconnect(self, database: str) -> None:
        """End every connection to a database."""
        with self.connect() as connection:
            connection.execute(
                "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = %s",
                (database,),
            )

    def dump(self, database: str) -> None:
        """Copy a database as it is now, for `restore`."""
        self._client("pg_dump", "-Fc", "-f", str(self._folder / f"{database}.dump"), database)

    def restore(self, database: str) -> None:
        """Bring the copy back into its database, instead of whatever tables are there."""
        file = str(self._folder / f"{database}.dump")
        self._client("pg_restore", "--clean", "--if-exists", "-1", "-d", database, file)

    def _client(self, program: str, *arguments: str) -> None:
        self._run(program, "-h", str(self._folder), "-U", "tests", *arguments)

    def _run(self, program: str, *arguments: str) -> None:
        command = [str(self._programs / program), *arguments]
        if os.geteuid() == 0:
            command = ["setpriv", f"--reuid={_USER}", f"--regid={_USER}", "--init-groups", *command]
        # The server keeps what it is given for its output: a pipe would never end.
        done = subprocess.run(
            command,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=self._folder,
            check=False,
            timeout=60,
        )
        assert done.returncode == 0, f"{program} failed: {done.returncode}"


@contextmanager
def cluster() -> Iterator[Cluster]:
    """A cluster that answers."""
    programs = _programs()
    folder = Path(tempfile.mkdtemp(prefix="touchline-pg-"))
    made = Cluster(folder, programs)
    try:
        if os.geteuid() == 0:
            shutil.chown(folder, _USER, _USER)
        made.start()
        try:
            yield made
        finally:
            made.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)
