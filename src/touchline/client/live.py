"""The WebSocket part of the client, which survives connection losses."""

from __future__ import annotations

import asyncio
import json
import logging
import random
import time
import uuid
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeAlias

import aiohttp

from touchline.client.errors import ClientError, CommandFailed, Rejected, Unanswered

log = logging.getLogger(__name__)

VERSION = 1

CHANNELS = frozenset({"status", "pipeline_state", "system_metrics", "panorama_status"})

HEARTBEAT_S = 10.0
"""Interval of pings to a silent server; half of it later the connection counts as lost."""

SHORTEST_PAUSE_S, LONGEST_PAUSE_S = 0.1, 5.0

RESEND_S = 50.0
"""How long after its first sending a command may be sent again: the server keeps results for 60 s,
and would take a later repetition for a new command."""

LARGEST_MESSAGE_BYTES = 64 << 20

_Socket: TypeAlias = "aiohttp.ClientWebSocketResponse[bool]"

_PERMANENT = frozenset({400, 401, 403, 404})
"""Handshake refusals for which retrying is useless."""


@dataclass(frozen=True)
class Update:
    """State of a channel as sent by the server at `ts` (Unix seconds)."""

    channel: str
    ts: float
    data: dict[str, Any]
    number: int


@dataclass
class _Command:
    text: str
    sent_s: float | None = None
    result: asyncio.Future[Any] = field(
        default_factory=lambda: asyncio.get_running_loop().create_future()
    )


class Live:
    """A WebSocket that reconnects and resubscribes automatically, and resends pending commands.

    A command is carried out once during the lifetime of the server, however often its connection
    breaks. If the server restarts meanwhile, it may receive a command a second time.
    """

    def __init__(
        self,
        session: aiohttp.ClientSession,
        url: str,
        *,
        channels: Iterable[str] = ("status",),
        make_id: Callable[[], str] = lambda: uuid.uuid4().hex,
    ) -> None:
        self._session = session
        self._url = f"{url}?client={make_id()}"
        self._make_id = make_id
        self._wanted = set(channels)
        self._socket: _Socket | None = None
        self._commands: dict[str, _Command] = {}
        self._ended: ClientError | None = None
        self._news = asyncio.Event()
        self._number = 0
        self.latest: dict[str, Update] = {}
        """The newest update of each channel."""
        self.connections = 0
        """Number of connections made so far."""

    @property
    def connected(self) -> bool:
        """Whether the WebSocket is currently connected."""
        return self._socket is not None

    async def wait_connected(self) -> None:
        """Wait for a connection; raises Rejected if the server has refused it for good."""
        while not self.connected:
            await self._wait_for_news()

    async def subscribe(self, *channels: str) -> None:
        """Subscribe to further channels, now and after every reconnection."""
        self._wanted.update(channels)
        await self._try_send({"v": VERSION, "type": "subscribe", "channels": list(channels)})

    async def unsubscribe(self, *channels: str) -> None:
        """Unsubscribe from channels."""
        self._wanted.difference_update(channels)
        for channel in channels:
            self.latest.pop(channel, None)
        await self._try_send({"v": VERSION, "type": "unsubscribe", "channels": list(channels)})

    async def updates(self, *channels: str) -> AsyncIterator[Update]:
        """Yield the newest state of each channel, including the known one; slow readers skip some.

        Continues after reconnections. Raises Rejected if the server has refused the connection for
        good.
        """
        seen: dict[str, int] = {}
        while True:
            fresh = [
                update
                for update in self.latest.values()
                if update.number > seen.get(update.channel, 0)
                and (not channels or update.channel in channels)
            ]
            if not fresh:
                await self._wait_for_news()
            for update in sorted(fresh, key=lambda update: update.number):
                seen[update.channel] = update.number
                yield update

    async def command(self, action: str, /, *, timeout_s: float = 45.0, **params: Any) -> Any:
        """Run a command and return its result, across connection losses.

        Raises CommandFailed with the server's message and code, Unanswered if no result arrived in
        time, and Rejected if the server has refused the connection for good.
        """
        if self._ended is not None:
            raise self._ended
        command_id = self._make_id()
        message = {"type": "command", "id": command_id, "action": action, "params": params}
        command = self._commands[command_id] = _Command(json.dumps({"v": VERSION, **message}))
        try:
            if self._socket is not None:
                await self._send_command(self._socket, command)
            return await asyncio.wait_for(command.result, timeout_s)
        except TimeoutError:
            raise Unanswered(f"no result of {action} within {timeout_s:g} s") from None
        finally:
            del self._commands[command_id]

    async def keep(self) -> None:
        """Connect and reconnect until cancelled or refused for good."""
        failures = 0
        while self._ended is None:
            connections = self.connections
            try:
                await self._connection()
            except aiohttp.WSServerHandshakeError as error:
                log.info("%s refused: %s", self._url, error.status)
                if error.status in _PERMANENT:
                    self._end(Rejected(error.status, error.message))
                    return
            except (TimeoutError, aiohttp.ClientError, OSError, ValueError) as error:
                log.info("%s: %s", self._url, error)
            finally:
                self._socket = None
            failures = 0 if self.connections > connections else failures + 1
            await asyncio.sleep(pause_s(failures, random.random()))

    # ------------------------------------------------------------- connection

    async def _connection(self) -> None:
        async with self._session.ws_connect(
            self._url, heartbeat=HEARTBEAT_S, max_msg_size=LARGEST_MESSAGE_BYTES
        ) as socket:
            hello = await socket.receive(timeout=HEARTBEAT_S)
            if hello.type is not aiohttp.WSMsgType.TEXT:
                log.info("%s: closed with %s %s", self._url, socket.close_code, hello.extra)
                return
            await self._restore(socket, set(json.loads(hello.data)["channels"]))
            async for frame in socket:
                if frame.type is not aiohttp.WSMsgType.TEXT:
                    break
                self._take(json.loads(frame.data))

    async def _restore(self, socket: _Socket, has: set[str]) -> None:
        """Restore subscriptions and resend commands without a result."""
        unwanted = sorted(has - self._wanted)
        if unwanted:
            await socket.send_json({"v": VERSION, "type": "unsubscribe", "channels": unwanted})
        wanted = sorted(self._wanted)
        await socket.send_json({"v": VERSION, "type": "subscribe", "channels": wanted})
        self._socket = socket
        self.connections += 1
        self._notify()
        for command in list(self._commands.values()):
            await self._send_command(socket, command)

    async def _send_command(self, socket: _Socket, command: _Command) -> None:
        now_s = time.monotonic()
        if command.sent_s is None:
            command.sent_s = now_s
        elif now_s - command.sent_s > RESEND_S and not command.result.done():
            text = "the connection was away for too long to ask for the result again"
            command.result.set_exception(Unanswered(text))
            return
        try:
            await socket.send_str(command.text)
        except (aiohttp.ClientError, OSError) as error:
            log.debug("a command waits for the next connection: %s", error)

    async def _try_send(self, message: Mapping[str, Any]) -> None:
        if self._socket is None:
            return  # the next connection subscribes by itself
        try:
            await self._socket.send_json(message)
        except (aiohttp.ClientError, OSError) as error:
            log.debug("left to the next connection: %s", error)

    # ------------------------------------------------------------- incoming messages

    def _take(self, message: Mapping[str, Any]) -> None:
        kind = message.get("type")
        if kind in CHANNELS and kind in self._wanted:
            self._number += 1
            self.latest[kind] = Update(kind, message["ts"], message["data"], self._number)
            self._notify()
        elif kind == "command_result":
            self._take_result(message)
        elif kind == "error":
            log.warning("%s: %s (%s)", self._url, message.get("message"), message.get("code"))

    def _take_result(self, message: Mapping[str, Any]) -> None:
        command = self._commands.get(message["id"])
        if command is None or command.result.done():
            return
        if message["success"]:
            command.result.set_result(message["data"])
        else:
            failure = CommandFailed(message["error"], message.get("code"))
            command.result.set_exception(failure)

    def _end(self, error: ClientError) -> None:
        self._ended = error
        for command in self._commands.values():
            if not command.result.done():
                command.result.set_exception(error)
        self._notify()

    def _notify(self) -> None:
        self._news.set()
        self._news = asyncio.Event()

    async def _wait_for_news(self) -> None:
        news = self._news
        if self._ended is not None:
            raise self._ended
        await news.wait()
        if self._ended is not None:
            raise self._ended


def pause_s(failures: int, chance: float) -> float:
    """Return the delay before the next attempt; `chance` (0 to 1) spreads the clients' attempts."""
    longest_s = min(LONGEST_PAUSE_S, SHORTEST_PAUSE_S * 2.0 ** min(failures, 16))
    return longest_s * (0.5 + chance / 2)
