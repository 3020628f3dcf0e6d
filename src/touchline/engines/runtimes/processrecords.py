"""The record of a process that runs as an engine: a directory each, which survives the server.

It is written before the process exists, so that none can run unrecorded; the process carries the
id in its environment, by which it is found when the server died between the two.
"""

from __future__ import annotations

import json
import logging
import os
import shutil
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from datetime import datetime, timezone
from pathlib import Path
from typing import Any

from touchline.engines.model import Binding, Instance, InstanceState, PortMapping
from touchline.engines.runtimes.procfs import Identity

log = logging.getLogger(__name__)

RECORD, LOG = "record.json", "engine.log"
LOG_MAX_BYTES = 10 << 20
LOG_KEPT_BYTES = 1 << 20


@dataclass(frozen=True)
class Record:
    """Everything about one process, as it stands on the disk."""

    id: str
    name: str
    image: str
    command: tuple[str, ...]
    env: dict[str, str]
    labels: dict[str, str]
    created_at: str
    bind_address: str
    ports: tuple[PortMapping, ...] = ()
    memory_limit_bytes: int | None = None
    restarts: bool = False
    process: Identity | None = None
    """None: it has not been started, or the server died before it could say so."""
    exit_code: int | None = None
    ended: bool = False

    def instance(self, state: InstanceState, *, with_env: bool = False) -> Instance:
        """As a runtime shows it."""
        return Instance(
            id=self.id,
            name=self.name,
            image=self.image,
            state=state,
            created_at=datetime.fromisoformat(self.created_at),
            labels=dict(self.labels),
            ports={
                port.name: (Binding(self.bind_address, port.host_port),)
                for port in self.ports
                if port.host_port is not None
            },
            exit_code=self.exit_code if state == "exited" else None,
            env=dict(self.env) if with_env else {},
        )


def now_text() -> str:
    """The present time, as records have it."""
    return datetime.now(timezone.utc).isoformat()


class Records:
    """The records in one directory. Blocking; call it in a thread."""

    def __init__(self, directory: Path) -> None:
        self.directory = directory

    def open(self) -> None:
        """Make the directory; nobody else may look into it, as environments hold secrets."""
        self.directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self.directory.chmod(0o700)

    def home(self, record_id: str) -> Path:
        """The directory of one record; it is the process's working directory too."""
        return self.directory / record_id

    def write(self, record: Record) -> None:
        """Replace the record, whole or not at all."""
        home = self.home(record.id)
        home.mkdir(mode=0o700, exist_ok=True)
        fresh = home / f"{RECORD}.new"
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(asdict(record), file)
        fresh.replace(home / RECORD)

    def remove(self, record_id: str) -> None:
        """The record, the log and all that the process left in its directory."""
        shutil.rmtree(self.home(record_id), ignore_errors=True)

    def read_all(self) -> Iterator[Record]:
        """Every record that can be read; what cannot is named in the log and left where it is."""
        for home in sorted(self.directory.iterdir()):
            if not home.is_dir():
                continue
            try:
                yield _record(json.loads((home / RECORD).read_text(encoding="utf-8")))
            except FileNotFoundError:
                # The server died before it had written the first record: nothing was started.
                shutil.rmtree(home, ignore_errors=True)
            except (OSError, ValueError, LookupError, TypeError) as error:
                log.error("The record in %s cannot be read: %r", home, error)  # noqa: TRY400

    def last_lines(self, record_id: str, limit_bytes: int = 2000) -> str:
        """The end of its log."""
        try:
            with (self.home(record_id) / LOG).open("rb") as file:
                file.seek(0, os.SEEK_END)
                file.seek(max(0, file.tell() - limit_bytes))
                return file.read().decode("utf-8", "replace").strip()
        except OSError:
            return ""

    def shorten_logs(self) -> None:
        """Cut logs that have grown too large: the process goes on writing at the new end."""
        for path in self.directory.glob(f"*/{LOG}"):
            try:
                if path.stat().st_size <= LOG_MAX_BYTES:
                    continue
                with path.open("r+b") as file:
                    file.seek(-LOG_KEPT_BYTES, os.SEEK_END)
                    kept = file.read()
                    file.truncate(0)
                    file.seek(0)
                    file.write(kept)
            except OSError as error:
                log.warning("%s cannot be shortened: %s", path, error)


def _record(values: dict[str, Any]) -> Record:
    ports = tuple(PortMapping(**port) for port in values.pop("ports"))
    process = values.pop("process")
    command = tuple(values.pop("command"))
    identity = Identity(**process) if process is not None else None
    return Record(**values, ports=ports, process=identity, command=command)
