"""RTSP message format: requests are written; responses, requests and interleaved packets read.

The reader accepts bytes in chunks of any size. It tolerates common camera errors (lines that end in
LF only, names in any case, a status without a phrase, stray bytes between packets), and it is
bounded: a peer can make it hold one header, one body or one packet, never more.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field

from touchline.worker.rtsp.errors import RtspError

MAX_HEAD_BYTES = 64 << 10
MAX_HEADERS = 128
MAX_BODY_BYTES = 256 << 10
MAX_STRAY_BYTES = 1 << 20
"""Limit of consecutive bytes that are neither a message nor a packet."""

_DOLLAR = 0x24
_RTP_VERSION = 2
_BEGINNING = re.compile(rb"RTSP/\d|[A-Z_]{3,16} (?:rtsps?:|\*|/)", re.IGNORECASE)
_BEGINNING_BYTES = 24
_UNCERTAIN = re.compile(rb"[A-Z_]{1,16}(?: .{0,7})?|RTSP/", re.IGNORECASE | re.DOTALL)
_HEAD_END = re.compile(rb"\n\r?\n")
_STATUS = re.compile(r"RTSP/\d+\.\d+\s+(\d{3})(?:\s+(.*))?", re.IGNORECASE)
_REQUEST = re.compile(r"([A-Za-z_]{3,16})\s+(\S+)(?:\s+RTSP/\d+\.\d+)?")
_LENGTH = re.compile(r"\d{1,9}", re.ASCII)


@dataclass(frozen=True)
class Headers:
    """Header fields in order of arrival; names are in lower case."""

    fields: tuple[tuple[str, str], ...] = ()

    def get(self, name: str) -> str | None:
        """Return the first field with this name."""
        return next((value for key, value in self.fields if key == name), None)

    def all(self, name: str) -> list[str]:
        """Return all fields with this name."""
        return [value for key, value in self.fields if key == name]

    def number(self, name: str) -> int | None:
        """Return the first field with this name if it is a small decimal number."""
        text = (self.get(name) or "").strip()
        return int(text) if _LENGTH.fullmatch(text) else None


@dataclass(frozen=True)
class Response:
    """A response."""

    status: int
    reason: str
    headers: Headers = field(default_factory=Headers)
    body: bytes = b""

    @property
    def ok(self) -> bool:
        """Whether the request succeeded."""
        return 200 <= self.status < 300

    @property
    def line(self) -> str:
        """The status for display: `404 Not Found`."""
        return f"{self.status} {printable(self.reason)}".strip()


@dataclass(frozen=True)
class CameraRequest:
    """A request from the camera."""

    method: str
    uri: str
    headers: Headers = field(default_factory=Headers)


Message = Response | CameraRequest


def printable(text: str, longest: int = 120) -> str:
    """Return external text for logs and states: one line of bounded length."""
    return "".join(char if char.isprintable() else "?" for char in text[:longest])


def encode_request(method: str, uri: str, number: int, headers: Iterable[tuple[str, str]]) -> bytes:
    """Encode a request. Raises ValueError for a header that would become two."""
    lines = [f"{method} {uri} RTSP/1.0", f"CSeq: {number}"]
    lines += [f"{name}: {value}" for name, value in headers]
    return _lines(lines)


def encode_response(status: int, reason: str, number: str) -> bytes:
    """Encode a response to a request from the camera."""
    return _lines([f"RTSP/1.0 {status} {reason}", f"CSeq: {printable(number, 20)}"])


def _lines(lines: list[str]) -> bytes:
    if any("\r" in line or "\n" in line for line in lines):
        raise ValueError("a header must not contain a line break")
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


class Reader:
    """Incremental parser for the bytes of a connection.

    `on_packet` receives each interleaved packet with its channel.
    """

    def __init__(self, on_packet: Callable[[int, bytes], None]) -> None:
        self._channels: frozenset[int] = frozenset()
        self.stray_bytes = 0
        self._on_packet = on_packet
        self._rest = b""
        self._astray = 0

    def grant(self, channels: Iterable[int]) -> None:
        """Accept only packets on these channels, granted to the camera, after stray bytes."""
        self._channels = frozenset(channels)

    def feed(self, chunk: bytes) -> list[Message]:
        """Accept bytes and return the complete messages. Raises RtspError beyond a limit."""
        data = self._rest + chunk if self._rest else chunk
        messages: list[Message] = []
        at, end, on_packet = 0, len(data), self._on_packet
        while at < end:
            if data[at] == _DOLLAR:
                if end - at < 4:
                    break
                size = data[at + 2] << 8 | data[at + 3]
                stop = at + 4 + size
                if end - at == 4 and size:
                    break
                if self._credible(data[at + 1], data[at + 4] if size else None, size):
                    if stop > end:
                        break
                    self._astray = 0
                    on_packet(data[at + 1], data[at + 4 : stop])
                    at = stop
                    continue
            elif (found := self._message(data, at)) is not None:
                message, stop = found
                if message is None:
                    break
                self._astray = 0
                messages.append(message)
                at = stop
                continue
            at = self._skip(data, at)
        self._rest = data[at:]
        return messages

    def _credible(self, channel: int, first: int | None, size: int) -> bool:
        """Return whether this looks like a packet; stray bytes may contain a dollar sign."""
        expected = channel in self._channels or not self._channels
        if first is None:
            return expected
        if first >> 6 != _RTP_VERSION:
            return False
        return not self._astray or (size >= 8 and expected)

    def _skip(self, data: bytes, at: int) -> int:
        """Skip bytes that are neither packet nor message; return where either may begin."""
        if data[at] in b"\r\n":
            return at + 1
        after = at + 1
        found = [i for i in (data.find(b"$", after), data.find(b"RTSP/", after)) if i >= 0]
        to = min(found, default=max(after, len(data) - 4))
        self.stray_bytes += to - at
        self._astray += to - at
        if self._astray > MAX_STRAY_BYTES:
            raise RtspError("the camera sends something that is not RTSP")
        return to

    def _message(self, data: bytes, at: int) -> tuple[Message | None, int] | None:
        """Parse the message that begins there: None if none does, `(None, at)` if incomplete."""
        beginning = data[at : at + _BEGINNING_BYTES]
        if not _BEGINNING.match(beginning):
            waits = len(beginning) < _BEGINNING_BYTES and _UNCERTAIN.fullmatch(beginning)
            return (None, at) if waits else None
        head_end = _HEAD_END.search(data, at, at + MAX_HEAD_BYTES)
        if head_end is None:
            if len(data) - at >= MAX_HEAD_BYTES:
                raise RtspError(f"the camera sent a header of more than {MAX_HEAD_BYTES} bytes")
            return None, at
        first, headers = _head(data[at : head_end.start()])
        length = _body_length(headers)
        stop = head_end.end() + length
        if stop > len(data):
            return None, at
        return _build_message(first, headers, data[head_end.end() : stop]), stop


def _head(data: bytes) -> tuple[str, Headers]:
    first, *lines = data.decode("utf-8", "replace").replace("\r\n", "\n").split("\n")
    if len(lines) > MAX_HEADERS:
        raise RtspError(f"the camera sent more than {MAX_HEADERS} headers")
    fields: list[tuple[str, str]] = []
    for line in lines:
        if line[:1] in {" ", "\t"} and fields:  # a field may continue on the next line
            name, value = fields.pop()
            fields.append((name, f"{value} {line.strip()}"))
            continue
        name, colon, value = line.partition(":")
        if colon:
            fields.append((name.strip().lower(), value.strip()))
    return first.strip(), Headers(tuple(fields))


def _body_length(headers: Headers) -> int:
    if headers.get("content-length") is None:
        return 0
    length = headers.number("content-length")
    if length is None or length > MAX_BODY_BYTES:
        raise RtspError(
            f"the camera's response has an invalid content length (maximum {MAX_BODY_BYTES})"
        )
    return length


def _build_message(first: str, headers: Headers, body: bytes) -> Message:
    status = _STATUS.match(first)
    if status:
        return Response(int(status[1]), status[2] or "", headers, body)
    request = _REQUEST.match(first)
    if request is None:
        raise RtspError(f"the camera answers {printable(first)!r}, which is not RTSP")
    return CameraRequest(request[1].upper(), request[2], headers)
