"""The WebSocket's protocol without sockets: text in, text out into the sessions' outboxes.

Nothing a client sends raises an error here or makes another session wait.
"""

from __future__ import annotations

import json
import logging
import secrets
from collections import deque
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from contextlib import asynccontextmanager
from typing import Any, NoReturn, Protocol

import anyio

from touchline.core.errors import TouchlineError
from touchline.core.supervision import ReadinessReason, Supervisor, Tasks, open_tasks
from touchline.core.tasks import Changed
from touchline.web.http.answers import encoded
from touchline.web.websocket.channels import Channel
from touchline.web.websocket.commands import Action, Commands
from touchline.web.websocket.outbox import Outbox

log = logging.getLogger(__name__)

VERSION = 1
MAX_MESSAGE_BYTES = 64 * 1024
FIRST_CHANNELS = ("status",)
NEWS_CHANNELS = ("status", "pipeline_state")
"""Channels that are broadcast immediately after a change."""

SIGNALS_AHEAD = 256
"""Signalling messages of a session that may wait for the current one."""

DRAIN_S = 3.0
"""Time for running commands to finish when the server is stopped."""

_LONGEST_ECHO = 200


class SignallingHandler(Protocol):
    """The handler of the `webrtc_…` messages."""

    async def handle(
        self,
        connection_id: str,
        message: dict[str, Any],
        send: Callable[[str, dict[str, Any]], None],
    ) -> list[dict[str, Any]]:
        """Return the messages that answer this one, in order; later ones follow through `send`."""

    async def closed(self, connection_id: str) -> None:
        """Release everything that belongs to this connection."""


class HubSession:
    """One client's connection, from `Hub.join` to `Hub.leave`."""

    def __init__(self, session_id: str, owner: str) -> None:
        self.id = session_id
        self.owner = owner
        self.outbox = Outbox()
        self.signals: deque[dict[str, Any] | None] = deque()  # None: the session has left
        self.signalling = False


class Hub:
    """The WebSocket's protocol for any number of sessions.

    `open` runs the channels and commands; a hub that is not open accepts no sessions.
    """

    def __init__(
        self,
        channels: Iterable[Channel],
        actions: Mapping[str, Action],
        *,
        signalling: SignallingHandler,
        news: Iterable[Changed] = (),
        supervisor: Supervisor,
        max_sessions: int = 10,
        clock: Callable[[], float] = anyio.current_time,
        make_id: Callable[[], str] = lambda: secrets.token_hex(8),
    ) -> None:
        self.max_sessions = max_sessions
        self._channels = {channel.name: channel for channel in channels}
        self._commands = Commands(actions, refresh=self._refresh_status, clock=clock)
        self._signalling = signalling
        self._news = tuple(news)
        self._make_id = make_id
        self._sessions: dict[str, HubSession] = {}
        self._supervisor = supervisor
        self._tasks: Tasks | None = None

    @property
    def sessions(self) -> int:
        """Number of sessions."""
        return len(self._sessions)

    @property
    def is_open(self) -> bool:
        """Whether sessions are accepted."""
        return self._tasks is not None

    def reasons(self) -> list[ReadinessReason]:
        """Return the hub's failing tasks, for readiness."""
        return self._supervisor.reasons()

    @property
    def is_full(self) -> bool:
        """Whether there is no room for another session."""
        return len(self._sessions) >= self.max_sessions

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        """Broadcast and run commands within this scope; at its end, running commands may finish."""
        async with open_tasks(self._supervisor) as loops:
            for channel in self._channels.values():
                loops.keep(f"channel {channel.name}", channel.once, every_s=0)
                if channel.news is not None:
                    follow = _ChannelUpdater(channel, channel.news)
                    loops.keep(f"updates of {channel.name}", follow.once, every_s=0)
            for changed in self._news:
                loops.keep(
                    "channel updates", _ChangeWatcher(changed, self._refresh_status).once, every_s=0
                )
            async with anyio.create_task_group() as tasks:
                self._tasks = Tasks(tasks, self._supervisor)
                try:
                    yield
                finally:
                    self._tasks = None
                    tasks.cancel_scope.deadline = anyio.current_time() + DRAIN_S

    def join(self, owner: str) -> HubSession:
        """Create a session, send `hello` and subscribe it to `status`.

        `owner` identifies the client on any of its connections; commands that it repeats on another
        one are recognised as repetitions.
        """
        session = HubSession(self._make_id(), owner)
        self._sessions[session.id] = session
        self._send(session, "hello", channels=list(FIRST_CHANNELS))
        for name in FIRST_CHANNELS:
            self._channels[name].add(session)
        return session

    def leave(self, session: HubSession) -> None:
        """Remove a session; its commands continue, its WebRTC sessions end."""
        if self._sessions.pop(session.id, None) is None:
            return
        for channel in self._channels.values():
            channel.remove(session)
        session.signals.clear()
        self._signal(session, None)

    def send_to_session(self, session_id: str, message: Mapping[str, Any]) -> None:
        """Send the session a message, unless it has left."""
        session = self._sessions.get(session_id)
        if session is not None:
            session.outbox.reply(_text({"v": VERSION, **message}))

    def refresh(self, *names: str) -> None:
        """Broadcast these channels now."""
        for name in names:
            self._channels[name].refresh()

    def received(self, session: HubSession, frame: str | bytes) -> None:
        """Process a frame from the client; responses go to its outbox. Never raises."""
        message = self._parse_frame(session, frame)
        if message is None:
            return
        kind = message.get("type")
        if kind == "ping":
            self._send(session, "pong")
        elif kind in ("subscribe", "unsubscribe"):
            self._subscribe(session, message, subscribes=kind == "subscribe")
        elif kind == "command":
            if self._tasks is None:
                return  # closing: the socket is about to be closed too
            if not self._commands.receive(session, message, self._tasks):
                self._error(session, "invalid_command", "Command requires 'id' and 'action'")
        elif isinstance(kind, str) and kind.startswith("webrtc_"):
            self._take_signal(session, message)
        else:
            name = str(kind)[:_LONGEST_ECHO]
            self._error(session, "unknown_type", f"Unknown message type: {name}")

    # ------------------------------------------------------------- from text to message

    def _parse_frame(self, session: HubSession, frame: str | bytes) -> dict[str, Any] | None:
        """Return the message in the frame; None after sending an error."""
        size_bytes = len(frame) if isinstance(frame, bytes) else _utf8_bytes(frame)
        if size_bytes > MAX_MESSAGE_BYTES:
            self._error(session, "message_too_large", "Message exceeds 64KB limit")
            return None
        if isinstance(frame, bytes):
            self._error(session, "invalid_format", "Message must be a text frame")
            return None
        try:
            # RecursionError: nested too deeply. NaN and infinities are not JSON.
            message = json.loads(frame, parse_constant=_no_constant)
        except (ValueError, RecursionError):
            self._error(session, "invalid_json", "Message is not valid JSON")
            return None
        if not isinstance(message, dict):
            self._error(session, "invalid_format", "Message must be a JSON object")
            return None
        if message.get("v") != VERSION:
            self._error(session, "invalid_version", "Expected v=1")
            return None
        return message

    # ------------------------------------------------------------- channels

    def _subscribe(
        self, session: HubSession, message: Mapping[str, Any], *, subscribes: bool
    ) -> None:
        names = message.get("channels", [])
        if not isinstance(names, list) or any(isinstance(name, (list, dict)) for name in names):
            self._error(session, "invalid_channels", "channels must be a list")
            return
        for name in names:
            channel = self._channels.get(name) if isinstance(name, str) else None
            if channel is None:
                continue  # a channel of another version
            if subscribes:
                channel.add(session)
                channel.refresh()
            else:
                channel.remove(session)

    def _refresh_status(self) -> None:
        self.refresh(*NEWS_CHANNELS)

    # ------------------------------------------------------------- signalling

    def _take_signal(self, session: HubSession, message: dict[str, Any]) -> None:
        if len(session.signals) >= SIGNALS_AHEAD:
            self._error(session, "handler_error", "Too many signalling messages at once")
        else:
            self._signal(session, message)

    def _signal(self, session: HubSession, message: dict[str, Any] | None) -> None:
        """Process signalling messages in order: an offer requires its session to exist."""
        session.signals.append(message)
        if not session.signalling and self._tasks is not None:
            session.signalling = True
            self._tasks.start_soon(self._handle_signals, session, name="signalling")

    async def _handle_signals(self, session: HubSession) -> None:
        try:
            while session.signals:
                await self._handle_signal(session, session.signals.popleft())
        finally:
            session.signalling = False

    async def _handle_signal(self, session: HubSession, message: dict[str, Any] | None) -> None:
        try:
            if message is None:
                await self._signalling.closed(session.id)
                return
            for each in await self._signalling.handle(session.id, message, self.send_to_session):
                session.outbox.reply(_text({"v": VERSION, **each}))
        except TouchlineError as error:
            self._error(session, "handler_error", error.message)
        except Exception:
            error_id = secrets.token_hex(4)
            log.exception("Internal error %s: signalling", error_id)
            text = f"Internal error; the server's log has it under {error_id}"
            self._error(session, "handler_error", text)

    # ------------------------------------------------------------- answers

    def _error(self, session: HubSession, code: str, message: str) -> None:
        self._send(session, "error", code=code, message=message)

    def _send(self, session: HubSession, kind: str, **fields: Any) -> None:
        session.outbox.reply(_text({"v": VERSION, "type": kind, **fields}))


class _ChangeWatcher:
    """Watcher that reports a change."""

    def __init__(self, changed: Changed, tell: Callable[[], None]) -> None:
        self._changed, self._report = changed, tell
        self._seen = changed.version

    async def once(self) -> None:
        """Wait for the next change, and report it."""
        self._seen = await self._changed.wait(self._seen)
        self._report()


class _ChannelUpdater:
    """Watcher that refreshes a channel with subscribers when its own data changes."""

    def __init__(self, channel: Channel, news: Changed) -> None:
        self._channel, self._news = channel, news
        self._seen = news.version

    async def once(self) -> None:
        """Wait for the next change while there are subscribers, and refresh."""
        await self._channel.wait_for_subscriber()
        self._seen = await self._news.wait(self._seen)
        self._channel.refresh()


def _text(message: Mapping[str, Any]) -> str:
    return encoded(message).decode()


def _utf8_bytes(text: str) -> int:
    return len(text) if text.isascii() else len(text.encode("utf-8", "surrogatepass"))


def _no_constant(name: str) -> NoReturn:
    raise ValueError(name)
