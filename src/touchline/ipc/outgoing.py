"""Messages of a process to a server that may have stopped reading: bounded, no event lost.

If the server does not read, its socket fills up, and then the buffer behind it. From then on only
the newest status is kept and events wait in order. A server that is absent for so long that even
these would need too much memory is disconnected: it requests everything when it returns.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

from touchline.ipc import wire

FULL_BYTES = 128 << 10
"""Limit of the connection's own buffer; about a minute of statuses."""

KEPT_BYTES = 4 << 20
"""Limit of waiting events; some tens of thousands of them."""


class Outgoing:
    """Sends messages to one server. `tell` never waits."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._status: bytes | None = None
        self._events: deque[bytes] = deque()
        self._queued_bytes = 0

    def send_message(self, message: Mapping[str, Any], line: bytes) -> None:
        """Send `line`, which is `message` encoded, or queue it until the server reads again."""
        if self._writer.is_closing():
            return
        self._send_queued()
        if not self._has_queued and not self._full:
            self._writer.write(line)
        elif message.get("event") == "status":
            self._status = line
        else:
            self._events.append(line)
            self._queued_bytes += len(line)
            if self._queued_bytes > KEPT_BYTES:
                self._writer.transport.abort()

    def reply(self, line: bytes) -> None:
        """Send the reply to a request. A client that sends requests reads, so replies are few."""
        if self._writer.transport.get_write_buffer_size() > wire.MAX_LINE_BYTES * 8:
            self._writer.transport.abort()
            return
        self._writer.write(line)

    @property
    def _full(self) -> bool:
        return self._writer.transport.get_write_buffer_size() > FULL_BYTES

    @property
    def _has_queued(self) -> bool:
        return bool(self._events) or self._status is not None

    def _send_queued(self) -> None:
        """Send queued messages while the server reads them; the older events come first."""
        while self._events and not self._full:
            line = self._events.popleft()
            self._queued_bytes -= len(line)
            self._writer.write(line)
        if self._status is not None and not self._events and not self._full:
            self._writer.write(self._status)
            self._status = None
