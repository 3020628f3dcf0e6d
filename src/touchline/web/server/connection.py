"""uvicorn's HTTP connection with limits that apply before routing and authentication.

The header of a request is limited in size, number of fields and time; the client that caused a
refusal can read it; and the door can end an idle connection.
"""

from __future__ import annotations

import asyncio
import socket
from functools import partial
from http import HTTPStatus
from typing import TYPE_CHECKING, Any, cast

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from touchline.ipc.listening import input_waits
from touchline.web.http.answers import MEDIA_TYPE, encoded
from touchline.web.server.door import ConnectionRefusal, Door
from touchline.web.server.websocket import ImpatientProtocol

if TYPE_CHECKING:
    from uvicorn import Config
    from uvicorn.server import ServerState

MAX_HEAD_BYTES = 64 * 1024
MAX_FIELDS = 128

LINGER_BYTES = 64 << 20
"""Maximum input discarded from a refused client so that it can read the response."""

_TOO_LARGE = ConnectionRefusal(
    431,
    "headers_too_large",
    f"The request header is larger than {MAX_HEAD_BYTES // 1024} KiB or has more"
    f" than {MAX_FIELDS} fields",
)
_INVALID = ConnectionRefusal(400, "bad_request", "Invalid HTTP request received.")
_SLOW = ConnectionRefusal(408, "request_timeout", "The request did not arrive in time")


class _TooLarge(Exception):
    """Raised in a parser callback to stop parsing."""


class BoundedProtocol(HttpToolsProtocol):
    """HTTP connection registered with the door."""

    def __init__(
        self,
        config: Config,
        server_state: ServerState,
        app_state: dict[str, Any],
        _loop: asyncio.AbstractEventLoop | None = None,
        *,
        door: Door,
    ) -> None:
        super().__init__(config, server_state, app_state, _loop)
        self._door = door
        self._raw: asyncio.Transport | None = None
        self._head_bytes = self._fields = self._silent_bytes = self._lingered_bytes = 0
        self._in_message = self._lingering = False

    # ------------------------------------------------------------------ the connection

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Register a new connection."""
        self._raw = transport
        super().connection_made(cast("asyncio.Transport", _Lingering(transport, self)))
        self._door.register_connection(self, self.client[0] if self.client else "")

    def connection_lost(self, exc: Exception | None) -> None:
        """Unregister a connection that has ended in any way."""
        self._door.left(self)
        super().connection_lost(exc)

    @property
    def _answering(self) -> RequestResponseCycle | None:
        """The request being answered, if there is one."""
        cycle = cast("RequestResponseCycle | None", self.cycle)
        return None if cycle is None or cycle.response_complete else cycle

    @property
    def has_input(self) -> bool:
        """Whether data has arrived that has not been read yet."""
        connection = self._raw.get_extra_info("socket") if self._raw is not None else None
        found: socket.socket | None = getattr(connection, "_sock", connection)
        return found is not None and input_waits(found)

    def dismiss(self, *, at_once: bool) -> None:
        """End the connection, with an error response if a request has begun, unless `at_once`."""
        if self._raw is None or self._raw.is_closing():
            return
        cycle = self._answering
        answered = cycle is not None and cycle.response_started
        if at_once:
            self._raw.abort()
        elif self._in_message and not self._lingering and not answered:
            self.refuse(_SLOW)
        else:
            self._raw.close()

    def pause_writing(self) -> None:
        """Record that the client must read before more can be sent."""
        super().pause_writing()
        self._door.unread(self, waits=True)

    def resume_writing(self) -> None:
        """Record that the client has read."""
        super().resume_writing()
        self._door.unread(self, waits=False)

    def shutdown(self) -> None:
        """Shut down; a response in progress may be completed."""
        if self._raw is not None and self._answering is None:
            self._raw.close()
            return
        super().shutdown()

    def timeout_keep_alive_handler(self) -> None:
        """End an idle connection, unless its next request is waiting to be read."""
        if not self.has_input:
            super().timeout_keep_alive_handler()

    # ------------------------------------------------------------------ input

    def data_received(self, data: bytes) -> None:
        """Parse incoming data, or refuse it."""
        if self._lingering:
            self._lingered_bytes += len(data)
            if self._lingered_bytes > LINGER_BYTES:
                self.dismiss(at_once=True)
            return
        self._unset_keepalive_if_required()
        if self._answering is None:
            self._door.move(self, "waiting")
        # Counts data without progress, such as a partial field or chunk line; callbacks reset it.
        self._silent_bytes += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade:
            if self._should_upgrade():
                self.handle_websocket_upgrade()
            else:
                self._unsupported_upgrade_warning()
        except httptools.HttpParserError as error:
            cause = error.__context__ or error.__cause__
            self.refuse(_TOO_LARGE if isinstance(cause, _TooLarge) else _INVALID)
        else:
            if self._silent_bytes > MAX_HEAD_BYTES:
                self.refuse(_TOO_LARGE)

    def on_message_begin(self) -> None:
        """Start counting a new request."""
        self._head_bytes = self._fields = self._silent_bytes = 0
        self._in_message = True
        super().on_message_begin()

    def on_url(self, url: bytes) -> None:
        """Count a part of the request target."""
        self._count(len(url))
        super().on_url(url)

    def on_header(self, name: bytes, value: bytes) -> None:
        """Count a header field, or a trailer field after a chunked body."""
        self._fields += 1
        self._count(len(name) + len(value) + 4)
        super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """Hand a request over to the application: its header is complete."""
        self._silent_bytes = 0
        super().on_headers_complete()
        self._door.move(self, "busy")
        self._door.body(self, expected=True)

    def on_body(self, body: bytes) -> None:
        """Count a part of the body."""
        self._silent_bytes = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        """Record that the request is complete."""
        self._silent_bytes = 0
        self._in_message = False
        self._door.body(self, expected=False)
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """Record that the response was sent."""
        super().on_response_complete()
        if self._answering is None:
            self._door.move(self, "resting")

    def handle_websocket_upgrade(self) -> None:
        """Hand the connection over; its new protocol reports its end to the door."""
        self._in_message = False
        self._door.body(self, expected=False)
        self._door.move(self, "socket")
        raw = self._raw
        if raw is None:
            return
        self.transport = raw
        super().handle_websocket_upgrade()
        successor = raw.get_protocol()
        if isinstance(successor, ImpatientProtocol):
            successor.call_when_gone(partial(self._door.left, self))

    def _count(self, size_bytes: int) -> None:
        self._silent_bytes = 0
        self._head_bytes += size_bytes
        if self._head_bytes > MAX_HEAD_BYTES or self._fields > MAX_FIELDS:
            raise _TooLarge

    # ------------------------------------------------------------------ refusals

    def send_400_response(self, msg: str) -> None:
        """Refuse a request in the contract's format."""
        self.refuse(ConnectionRefusal(400, "bad_request", msg))

    def refuse(self, refusal: ConnectionRefusal) -> None:
        """Send a refusal, and end the connection once the client can have read it."""
        self._in_message = True  # so that `linger` keeps reading
        cycle = self._answering
        if cycle is not None:
            cycle.disconnected = True
            cycle.message_event.set()
            if cycle.response_started:  # partly sent: only closing signals the error
                self.dismiss(at_once=True)
                return
        self.transport.write(refusal_bytes(refusal))
        self.transport.close()

    def linger(self) -> None:
        """Stop sending, but keep reading for a moment.

        Closing with unread data resets the connection, and the client loses the response.
        """
        raw = self._raw
        if raw is None or raw.is_closing() or self._lingering:
            return
        if not self._in_message:
            raw.close()
            return
        self._lingering = True
        self._door.body(self, expected=False)
        self._door.move(self, "lingering")
        raw.write_eof()
        self.flow.resume_reading()

    @property
    def lingers(self) -> bool:
        """Whether sending has stopped while input is still read."""
        return self._lingering


class _Lingering:
    """Transport whose `close` gives the client time to read the response."""

    def __init__(self, raw: asyncio.Transport, protocol: BoundedProtocol) -> None:
        self._raw = raw
        self._protocol = protocol

    def __getattr__(self, name: str) -> Any:
        return getattr(self._raw, name)

    def is_closing(self) -> bool:
        """Return whether nothing more can be sent."""
        return self._raw.is_closing() or self._protocol.lingers

    def close(self) -> None:
        """End the connection once the client can have read the response."""
        self._protocol.linger()


def refusal_bytes(refusal: ConnectionRefusal) -> bytes:
    """Return the complete response of a connection that is then closed."""
    body = encoded({"detail": refusal.detail, "code": refusal.code})
    lines = [
        f"HTTP/1.1 {refusal.status} {HTTPStatus(refusal.status).phrase}",
        f"content-type: {MEDIA_TYPE}",
        f"content-length: {len(body)}",
        *(["retry-after: 5"] if refusal.status in {429, 503} else []),
        "connection: close",
    ]
    return "\r\n".join([*lines, "", ""]).encode("ascii") + body
