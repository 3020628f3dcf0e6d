"""A server's insides behind the whole API, for requests that nobody would write."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast
from unittest.mock import patch

from pydantic import SecretStr

from support.fakesystem import FakeSystem
from support.played import PlayedPanorama, PlayedPreview
from support.segmentfiles import START_UNIX_NS, write_segment
from support.supervised import no_tasks
from touchline.capture.cameras.lease import CameraLease
from touchline.capture.library.library import Library
from touchline.capture.live.sessions import WebRtcSessions
from touchline.check import check
from touchline.core.database.database import Database
from touchline.core.events.log import EventLog
from touchline.core.metrics import Metrics
from touchline.engines.model.model import Engine, Stream
from touchline.web.routes.capture import diagnostics

KEY = "a-key-of-some-length"
MATCH_ID = "match_20260211_001"
SEGMENT = "cam0_20260211_220241_00.mp4"
FILE_NAME = "match.json"
MARKER_ID = "0123456789abcdef"
LOG_FILE = "cam0.log"
NOON = datetime(2026, 11, 21, 12, tzinfo=UTC)
ENGINE = Engine(
    "f" * 64, "acestream-1", "127.0.0.1", 19000, "127.0.0.1", 19000, NOON, NOON, health="healthy"
)
STREAM = Stream(
    id="ch-42",
    key_type="infohash",
    key="a" * 40,
    container_id=ENGINE.id,
    playback_session_id="s",
    stat_url="http://127.0.0.1:19000/ace/stat/a/s",
    command_url="http://127.0.0.1:19000/ace/cmd/a/s",
    is_live=True,
    started_at=NOON,
)


@contextmanager
def fuzzed_system(folder: Path) -> Iterator[Any]:
    """A server with a key, a real library and a recorder that obeys."""
    root = folder / "recordings"
    write_segment(root / MATCH_ID / "segments" / SEGMENT)
    (root / MATCH_ID / FILE_NAME).write_text("{}")
    (folder / "logs").mkdir(exist_ok=True)
    (folder / "logs" / LOG_FILE).write_text("one\ntwo\n")
    marker = {"marker_id": MARKER_ID, "at_unix_ns": START_UNIX_NS, "created_unix_ns": START_UNIX_NS}
    (root / MATCH_ID / "markers.json").write_text(json.dumps({"markers": [marker]}))
    system: Any = FakeSystem.make(folder)
    system.settings.auth.api_key = SecretStr(KEY)
    # Of the running match nothing can be deleted, so that it is there for every example.
    system.capture.library = Library(root, is_running=lambda match_id: match_id == MATCH_ID)
    system.capture.process_with(folder, system.capture.library)
    template = {"name": "Derby", "config": {"platform": "amd64"}}
    for slot in (1, 2):
        (folder / "variants" / f"template_{slot}.json").write_text(json.dumps(template))
    system.engines.variants.load()
    system.engines.fleet.freshness.listed(0.0)
    system.engines.fleet.put(ENGINE)
    system.engines.fleet.put_stream(STREAM)
    system.capture.sessions = WebRtcSessions(
        cast("Any", PlayedPreview()),
        cast("Any", PlayedPanorama()),
        CameraLease(),
        (0, 1),
        no_tasks(),
    )
    database = Database(f"sqlite:///{folder}/touchline.db")
    system.events = EventLog(database, Metrics())
    system.events.record("engine", "created", "Created", container_id="c1")
    with patch.object(diagnostics, "check", _once(check)):
        yield system
    system.events.close()
    database.close()


def _once(look: Callable[..., Any]) -> Callable[..., Any]:
    """The same, looking at the machine at the first call only: that takes a second."""
    found: list[Any] = []

    def checked(*arguments: Any, **options: Any) -> Any:
        if not found:
            found.append(look(*arguments, **options))
        return found[0]

    return checked
