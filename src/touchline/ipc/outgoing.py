"""What a process tells its server, which may stand still: bounded, and no event is lost.

A server that is stopped reads nothing. Its socket fills up, then the buffer behind it. From there
on only the newest status is kept, events wait in their order, and a server that has been away for
so long that even they would cost memory is disconnected: it asks for everything when it returns.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Mapping
from typing import Any

from touchline.ipc import wire

FULL_BYTES = 128 << 10
"""What may wait in the connection's own buffer; about a minute of statuses."""

KEPT_BYTES = 4 << 20
"""What events that wait may take; some tens of thousands of them."""


class Outgoing:
    """Sends to one server. `tell` returns at once, whatever the server does."""

    def __init__(self, writer: asyncio.StreamWriter) -> None:
        self._writer = writer
        self._status: bytes | None = None
        self._events: deque[bytes] = deque()
        self._kept_bytes = 0

    def tell(self, message: Mapping[str, Any], line: bytes) -> None:
        """Send `line`, which is `message` encoded, or queue it until the server reads again."""
        if self._writer.is_closing():
            return
        self._catch_up()
        if not self._waits and not self._full:
            self._writer.write(line)
        elif message.get("event") == "status":
            self._status = line
        else:
            self._events.append(line)
            self._kept_bytes += len(line)
            if self._kept_bytes > KEPT_BYTES:
                self._writer.transport.abort()

    def reply(self, line: bytes) -> None:
        """Send the reply to a request; who asks reads, so these are few."""
        if self._writer.transport.get_write_buffer_size() > wire.MAX_LINE_BYTES * 8:
            self._writer.transport.abort()
            return
        self._writer.write(line)

    @property
    def _full(self) -> bool:
        return self._writer.transport.get_write_buffer_size() > FULL_BYTES

    @property
    def _waits(self) -> bool:
        return bool(self._events) or self._status is not None

    def _catch_up(self) -> None:
        """Send what waits, as far as the server takes it; events first, they are older."""
        while self._events and not self._full:
            line = self._events.popleft()
            self._kept_bytes -= len(line)
            self._writer.write(line)
        if self._status is not None and not self._events and not self._full:
            self._writer.write(self._status)
            self._status = None
