"""uvicorn's WebSocket connection with strict time limits."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Callable
from typing import cast

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

from touchline.core.patience import Alarm

STUCK_S = 10.0
"""A client that reads nothing for this long is disconnected."""

SEND_BUFFER_BYTES = 64 * 1024
"""Kernel buffer per client; more data waits where newer messages replace it."""


class ImpatientProtocol(WebSocketsSansIOProtocol):
    """WebSocket connection that is aborted if its client stops reading.

    uvicorn would close it, which waits until the client has read everything: forever, if it is
    stopped but connected. A send returns only once the kernel has all data, so that unsent messages
    accumulate in the session's outbox.
    """

    _watch: Alarm | None = None
    _unsent_bytes = 0
    _on_gone: Callable[[], None] | None = None

    def call_when_gone(self, on_gone: Callable[[], None]) -> None:
        """Call this at the end of the connection.

        uvicorn constructs this protocol, so that whoever handed the connection over cannot.
        """
        self._on_gone = on_gone

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Take over an HTTP connection that has become a WebSocket."""
        super().connection_made(transport)
        self.transport.set_write_buffer_limits(high=0)
        connection = cast("socket.socket | None", transport.get_extra_info("socket"))
        if connection is not None:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, SEND_BUFFER_BYTES)

    def pause_writing(self) -> None:
        """Record that the kernel's buffer is full."""
        super().pause_writing()
        self._watch_progress()

    def resume_writing(self) -> None:
        """Record that the kernel has accepted all data."""
        super().resume_writing()
        self._stop_watching()

    def connection_lost(self, exc: Exception | None) -> None:
        """Report a connection that has ended in any way."""
        self._stop_watching()
        if self._on_gone is not None:
            self._on_gone()
        super().connection_lost(exc)

    def send_keepalive_ping(self) -> None:
        """Ping the client; the time limit for its pong stops while the server is suspended."""
        super().send_keepalive_ping()
        if self.pong_timer is not None and self.ping_timeout is not None:
            self.pong_timer.cancel()
            alarm = Alarm(self.ping_timeout, self.keepalive_timeout)
            self.pong_timer = cast("asyncio.TimerHandle", alarm)  # it is only ever cancelled

    def _watch_progress(self) -> None:
        self._unsent_bytes = self.transport.get_write_buffer_size()
        self._watch = Alarm(STUCK_S, self._check_progress)

    def _check_progress(self) -> None:
        if self.transport.get_write_buffer_size() >= self._unsent_bytes:
            self.transport.abort()
        else:
            self._watch_progress()

    def _stop_watching(self) -> None:
        if self._watch is not None:
            self._watch.cancel()
            self._watch = None
