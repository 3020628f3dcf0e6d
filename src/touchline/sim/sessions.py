"""Sessions of a simulated engine, with the rules of real ones."""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

SELECTORS = ("content_id", "id", "infohash", "url", "magnet")
READER_TIMEOUT_S = 60.0


@dataclass
class PlaybackSession:
    """Playback of one content."""

    id: str
    infohash: str
    pid: str
    began_s: float
    read_s: float
    """Time of the last read."""
    readers: int = 0
    sent_bytes: int = 0
    superseded: bool = False

    def note_read(self, now_s: float, size_bytes: int = 0) -> None:
        """Record that a client has read something."""
        self.read_s = now_s
        self.sent_bytes += size_bytes

    def add_reader(self) -> None:
        """Count a client that reads the stream."""
        self.readers += 1

    def remove_reader(self, now_s: float) -> None:
        """Remove a client that read the stream until now."""
        self.readers -= 1
        self.read_s = now_s


@dataclass
class PlaybackSessions:
    """Sessions with one reader each, one per content; a session without a reader expires."""

    now_s: Callable[[], float]
    bits_per_s: int = 2_000_000
    reader_timeout_s: float = READER_TIMEOUT_S
    by_id: dict[str, PlaybackSession] = field(default_factory=dict)

    def start(self, query: dict[str, str]) -> PlaybackSession | None:
        """Return a session for a request; None if it names no content."""
        selector = next((name for name in SELECTORS if query.get(name)), None)
        if selector is None:
            return None
        infohash = _infohash(selector, query[selector])
        pid = query.get("pid", "")
        for session in list(self.by_id.values()):
            if session.infohash != infohash:
                continue
            if session.pid == pid:
                return session
            session.superseded = True
            del self.by_id[session.id]
        now_s = self.now_s()
        made = PlaybackSession(secrets.token_hex(20), infohash, pid, now_s, now_s)
        self.by_id[made.id] = made
        return made

    def find(self, infohash: str, session_id: str) -> PlaybackSession | None:
        """Return a playing session. This does not count as reading it."""
        session = self.by_id.get(session_id)
        if session is None or session.infohash != infohash:
            return None
        if not session.readers and self.now_s() - session.read_s > self.reader_timeout_s:
            del self.by_id[session_id]
            return None
        return session

    def stop(self, infohash: str, session_id: str) -> bool:
        """End a session and return whether there was one."""
        found = self.find(infohash, session_id)
        if found is not None:
            found.superseded = True
            del self.by_id[session_id]
        return found is not None

    def forget_all(self) -> None:
        """Forget all sessions, like a restarted engine."""
        for session in self.by_id.values():
            session.superseded = True
        self.by_id.clear()

    def stat(self, session: PlaybackSession, wall_s: float) -> dict[str, Any]:
        """Return the engine's statistics of a session."""
        age_s = self.now_s() - session.began_s
        speed = self.bits_per_s // 8 // 1000
        newest = int(wall_s)
        return {
            "status": "prebuf" if age_s < 1 else "dl",
            "peers": 3 + int(age_s) % 5,
            "speed_down": speed,
            "speed_up": speed // 4,
            "downloaded": int(age_s * self.bits_per_s / 8),
            "uploaded": int(age_s * self.bits_per_s / 32),
            "total_progress": 0,
            "immediate_progress": 0,
            "is_live": 1,
            "infohash": session.infohash,
            "playback_session_id": session.id,
            "livepos": {
                "pos": str(newest - 5),
                "live_first": str(newest - 60),
                "live_last": str(newest),
                "first_ts": str(newest - 60),
                "last_ts": str(newest),
                "first": str(newest - 60),
                "last": str(newest),
                "buffer_pieces": "15",
            },
        }


def _infohash(selector: str, value: str) -> str:
    if selector == "infohash" and len(value) == 40:
        return value.lower()
    return hashlib.sha1(value.encode(), usedforsecurity=False).hexdigest()
