"""Browser sessions, from signing in with the key until signing out.

Memory is authoritative and the database persistent: a session that begins while the database is
unavailable is written once it responds, and an ended session ends immediately. Sessions of an
earlier server are valid from the moment the record is read; until then their browsers are asked to
sign in again.

Age is measured by a clock that cannot be set, so a change of the date neither ends nor extends a
session (see `signing.elapsed_s`).
"""

from __future__ import annotations

import logging
import secrets
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

import anyio

from touchline.core.database import schema
from touchline.core.database.database import upsert
from touchline.core.errors import Failed
from touchline.core.tasks import Changed, Keep, keep_running
from touchline.web.auth.cookies import LIFETIME_S
from touchline.web.auth.signing import Moment, ReadMoment, elapsed_s, read_moment

if TYPE_CHECKING:
    from collections.abc import Callable

    from touchline.core.database.database import Connection

log = logging.getLogger(__name__)

MOST_SESSIONS = 1000
"""Maximum number of sessions; a new one replaces the oldest."""

LOOK_S = 60.0
"""Interval for checking ages."""

NOTE_EVERY_S = 3600
"""Interval for writing ages, and the most that a restart of the machine can lose."""

END_WRITE_S = 2.0
"""Time that a sign-out waits for the database."""


class SessionStore(Protocol):
    """The part of the database that sessions use."""

    @property
    def generation(self) -> int:
        """Number that increases each time another database takes the place of the current one."""

    async def read(self, work: Callable[[Connection], Any]) -> Any:
        """Return the result of `work`."""

    async def write(self, work: Callable[[Connection], Any]) -> Any:
        """Return the result of `work` once it is on disk."""


@dataclass
class BrowserSession:
    """A browser's session: its age at a moment, and an event that is set when it ends."""

    age_s: int
    noted: Moment
    ended: anyio.Event = field(default_factory=anyio.Event)

    def age_at(self, now: Moment) -> int:
        """Return the session's age; periods that no clock measured do not count."""
        return self.age_s + (elapsed_s(self.noted, now) or 0)


class BrowserSessions:
    """All sessions of one key."""

    def __init__(self, store: SessionStore, key_id: str, *, read: ReadMoment = read_moment) -> None:
        self._store = store
        self._key_id = key_id
        self._read = read
        self._open: dict[str, BrowserSession] = {}
        self._unwritten: set[str] = set()
        self._unremoved: set[str] = set()
        self._loaded = False
        self._rewrite = False
        self._generation = 0
        self._writing = anyio.Lock()
        self._news = Changed()
        self._seen = 0

    @property
    def loaded(self) -> bool:
        """Whether the sessions of earlier servers have been loaded."""
        return self._loaded

    @property
    def settled(self) -> bool:
        """Whether the record is up to date."""
        waiting = self._rewrite or self._unwritten or self._unremoved or self._writing.locked()
        return self._loaded and not waiting

    @asynccontextmanager
    async def open(self, keep: Keep = keep_running) -> AsyncIterator[None]:
        """Load and maintain the record within this scope."""
        async with anyio.create_task_group() as tasks:
            tasks.start_soon(partial(keep, "session records", self._maintain, every_s=0.2))
            try:
                yield
            finally:
                tasks.cancel_scope.cancel()

    def begin(self) -> str:
        """Begin a session and return its id."""
        while len(self._open) >= MOST_SESSIONS:
            self._forget(next(iter(self._open)))
        session_id = secrets.token_urlsafe(18)
        self._open[session_id] = BrowserSession(0, self._read())
        self._unwritten.add(session_id)
        self._news.mark()
        return session_id

    def find(self, session_id: str) -> BrowserSession | None:
        """Return a session that has not ended."""
        session = self._open.get(session_id)
        if session is not None and session.age_at(self._read()) >= LIFETIME_S:
            self._forget(session_id)
            return None
        return session

    async def end(self, session_id: str) -> None:
        """End a session: immediately in memory, and in the record once the database accepts it."""
        self._forget(session_id)
        try:
            with anyio.move_on_after(END_WRITE_S):
                await self._update_record()
                return
        except Failed as error:
            log.debug("a sign-out could not be written yet: %s", error)
        log.warning("A session has ended; this will be written when the database is available")

    def _forget(self, session_id: str) -> None:
        session = self._open.pop(session_id, None)
        if session is not None:
            session.ended.set()
        self._unwritten.discard(session_id)
        self._unremoved.add(session_id)
        self._news.mark()

    # ------------------------------------------------------------------ the record

    async def _maintain(self) -> None:
        """Write new sessions immediately, and check ages from time to time."""
        self._age()
        await self._update_record()
        with anyio.move_on_after(LOOK_S):
            self._seen = await self._news.wait(self._seen)

    def _age(self) -> None:
        now = self._read()
        for session_id, session in list(self._open.items()):
            age_s = session.age_at(now)
            if age_s >= LIFETIME_S:
                self._forget(session_id)
            elif session.noted.boot != now.boot or age_s - session.age_s >= NOTE_EVERY_S:
                session.age_s, session.noted = age_s, now
                self._unwritten.add(session_id)

    async def _update_record(self) -> None:
        """Update the record. Raises Failed if the database does not accept it."""
        async with self._writing:
            if not self._loaded:
                await self._load()
            if self._store.generation != self._generation:  # another database than before
                self._generation, self._rewrite = self._store.generation, True
            if self._rewrite or self._unwritten or self._unremoved:
                await self._write()

    async def _load(self) -> None:
        rows = await self._store.read(
            lambda connection: [
                dict(row) for row in connection.execute(schema.sessions.select()).mappings()
            ]
        )
        self._generation = self._store.generation
        now = self._read()
        for row in rows:
            session_id = row["id"]
            session = _session_of(row)
            over = row["key_id"] != self._key_id or session.age_at(now) >= LIFETIME_S
            if over or session_id in self._unremoved:
                self._unremoved.add(session_id)
            elif len(self._open) < MOST_SESSIONS:
                self._open.setdefault(session_id, session)
        self._loaded = True
        self._age()

    async def _write(self) -> None:
        rewrite, self._rewrite = self._rewrite, False
        removed, self._unremoved = self._unremoved, set()
        changed, self._unwritten = self._unwritten, set()
        wanted = self._open.keys() if rewrite else changed & self._open.keys()
        rows = [self._row(session_id, self._open[session_id]) for session_id in wanted]

        def work(connection: Connection) -> None:
            table = schema.sessions
            if rewrite:
                connection.execute(table.delete())
            elif removed:
                connection.execute(table.delete().where(table.c.id.in_(sorted(removed))))
            if rows:
                upsert(connection, table, rows)

        written = False
        try:
            await self._store.write(work)
            written = True
        finally:
            if not written:
                self._rewrite |= rewrite
                self._unremoved |= removed
                self._unwritten |= changed

    def _row(self, session_id: str, session: BrowserSession) -> dict[str, object]:
        noted = session.noted
        return {
            "id": session_id,
            "key_id": self._key_id,
            "age_s": session.age_s,
            "boot": noted.boot,
            "boottime_s": noted.boottime_s,
            "unix_s": noted.unix_s,
            "synchronised": noted.synchronised,
        }


def _session_of(row: Mapping[str, Any]) -> BrowserSession:
    noted = Moment(row["boot"], row["boottime_s"], row["unix_s"], bool(row["synchronised"]))
    return BrowserSession(row["age_s"], noted)
