"""Records of engine processes, one directory each, which survive the server.

A record is written before the process exists, so that none runs unrecorded; the process carries the
id in its environment, by which it is found if the server crashed between the two.
"""

from __future__ import annotations

import logging
import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from pydantic import TypeAdapter

from touchline.engines.model.model import NOTHING, Binding, Instance, InstanceState, PortMapping
from touchline.engines.runtimes.process.kernel.procfs import Identity
from touchline.foreign import files
from touchline.foreign.text import written

log = logging.getLogger(__name__)

RECORD, LOG, OLD_LOG = "record.json", "engine.log", "engine.log.1"
LOG_MAX_BYTES = 10 << 20
LOG_KEPT_BYTES = 1 << 20

_LAST_WORDS_BYTES = 2000


@dataclass(frozen=True, slots=True)
class ProcessRecord:
    """Complete record of one process, as stored on the disk."""

    id: str
    name: str
    image: str
    command: tuple[str, ...]
    created_at: datetime
    bind_address: str
    env: dict[str, str] = field(default_factory=dict)
    labels: dict[str, str] = field(default_factory=dict)
    ports: tuple[PortMapping, ...] = ()
    memory_limit_bytes: int | None = None
    restarts: bool = False
    process: Identity | None = None
    """Identity of the process.

    None: it has not been started, or the server crashed before it could record it.
    """
    started_at: datetime | None = None
    ended: bool = False
    exit_code: int | None = None

    def instance(self, state: InstanceState, *, in_full: bool = False) -> Instance:
        """Return the instance that the runtime reports.

        `in_full` includes the fields of `inspect`.
        """
        return Instance(
            id=self.id,
            name=self.name,
            image=self.image,
            state=state,
            created_at=self.created_at,
            labels=dict(self.labels),
            ports={
                port.name: (Binding(self.bind_address, port.host_port),)
                for port in self.ports
                if port.host_port is not None
            },
            exit_code=self.exit_code if state == "exited" else None,
            started_at=self.started_at if in_full else None,
            env=dict(self.env) if in_full else NOTHING,
        )


class Records:
    """Records in one directory. Blocking; call it in a thread. Raises OSError."""

    def __init__(self, directory: Path) -> None:
        # Processes have another working directory than this server.
        self._directory = directory.absolute()
        self._json: TypeAdapter[ProcessRecord] = TypeAdapter(ProcessRecord)

    def open(self) -> None:
        """Create the directory.

        It is not accessible to other users, as environments hold secrets.
        """
        self._directory.mkdir(mode=0o700, parents=True, exist_ok=True)
        self._directory.chmod(0o700)

    def home(self, record_id: str) -> Path:
        """Return the directory of one record.

        It is the process's working directory too.
        """
        return self._directory / record_id

    def log(self, record_id: str) -> Path:
        """Return the file for the process's output."""
        return self.home(record_id) / LOG

    def create(self, record: ProcessRecord) -> None:
        """Write a record, and create its directory if necessary."""
        self.home(record.id).mkdir(mode=0o700, exist_ok=True)
        self.write(record)

    def write(self, record: ProcessRecord) -> None:
        """Replace a record atomically.

        One that was removed meanwhile is not created again.
        """
        home = self.home(record.id)
        fresh = home / f"{RECORD}.new"
        with os.fdopen(files.create_new(fresh, 0o600), "wb") as file:
            file.write(self._json.dump_json(record))
        fresh.replace(home / RECORD)

    def remove(self, record_id: str) -> None:
        """Remove the record, the log and all files that the process left in its directory."""
        home = self.home(record_id)
        # Removed first: directories without a record are deleted by the next `read_all`.
        (home / RECORD).unlink(missing_ok=True)
        _clear_away(home)

    def read_all(self, *, is_alive: Callable[[str], bool]) -> Iterator[ProcessRecord]:
        """Yield every valid record.

        An invalid one is logged. It is kept while `is_alive` reports a process with this id, and
        removed otherwise.
        """
        for home in sorted(self._directory.iterdir()):
            if not files.is_real_folder(home):
                continue
            record = self._read(home)
            if record is not None:
                yield record
            elif is_alive(home.name):
                log.error("A running process belongs to %s: stop it and remove the record", home)
            else:
                _clear_away(home)

    def _read(self, home: Path) -> ProcessRecord | None:
        try:
            record = self._json.validate_json(files.read_bytes(home / RECORD))
        except FileNotFoundError:
            return None  # it was being created or removed when the server crashed
        except (OSError, ValueError) as error:
            log.error("The record in %s cannot be read: %s", home, error)
            return None
        if record.id != home.name:
            log.error("The record in %s belongs to another process: %s", home, record.id)
            return None
        return record

    @contextmanager
    def appending(self, record_id: str) -> Iterator[int]:
        """Open a record's log for appending. Raises OSError."""
        how = os.O_WRONLY | os.O_CREAT | os.O_APPEND
        descriptor = files.open_regular(self.log(record_id), how, 0o600)
        try:
            yield descriptor
        finally:
            os.close(descriptor)

    def last_lines(self, record_id: str) -> str:
        """Return the end of a record's log."""
        try:
            with files.reading(self.log(record_id)) as file:
                end = file.seek(0, os.SEEK_END)
                file.seek(max(0, end - _LAST_WORDS_BYTES))
                said = file.read().decode("utf-8", "surrogateescape")
        except OSError:
            return ""
        return written(said.replace("\r\n", "\n")).strip()

    def shorten_logs(self) -> None:
        """Truncate logs that have grown too large; the newest part is kept as `engine.log.1`.

        Processes append to the file (O_APPEND), so they need not be notified.
        """
        for path in self._directory.glob(f"*/{LOG}"):
            try:
                if files.status_of(path).st_size > LOG_MAX_BYTES:
                    _shorten(path)
            except FileNotFoundError:
                continue  # its process has just been stopped
            except OSError as error:
                log.warning("%s cannot be shortened: %s", path, error)


def _shorten(path: Path) -> None:
    with os.fdopen(files.open_regular(path, os.O_RDWR), "r+b") as file:
        file.seek(-LOG_KEPT_BYTES, os.SEEK_END)
        kept = file.read(LOG_KEPT_BYTES)
        files.replace_whole(path.with_name(OLD_LOG), kept, 0o600)
        # Output between the two calls is lost, which is acceptable for such a verbose process.
        file.truncate(0)


def _clear_away(home: Path) -> None:
    try:
        shutil.rmtree(home)
    except FileNotFoundError:
        return
    except OSError as error:
        log.warning("%s is no longer needed but could not be removed: %s", home, error)
