"""Parsing of RTSP requests, and responses in a camera's style."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

from touchline.sim.rtsp.misbehaviour import Misbehaviour

LARGEST = 64 * 1024

REASONS = {
    200: "OK",
    302: "Moved Temporarily",
    400: "Bad Request",
    401: "Unauthorized",
    403: "Forbidden",
    404: "Not Found",
    405: "Method Not Allowed",
    451: "Parameter Not Understood",
    453: "Not Enough Bandwidth",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    459: "Aggregate Operation Not Allowed",
    461: "Unsupported Transport",
    500: "Internal Server Error",
    501: "Not Implemented",
    503: "Service Unavailable",
    551: "Option not supported",
}


class Malformed(Exception):
    """The data is neither a request nor an interleaved packet."""


@dataclass(frozen=True)
class PlayerRequest:
    """A request, or with an empty method a response to one of the server's."""

    method: str
    url: str
    headers: dict[str, str]
    """By lower-case name."""
    body: bytes = b""


@dataclass
class CameraResponse:
    """A response without CSeq."""

    status: int
    headers: list[tuple[str, str]] = field(default_factory=list)
    body: bytes = b""


class Inbox:
    """Parser of a client's data into requests and interleaved packets."""

    def __init__(self) -> None:
        self._data = bytearray()

    def feed(self, data: bytes) -> Iterator[PlayerRequest | bytes]:
        """Yield all complete requests and packets. Raises Malformed."""
        self._data += data
        while (found := self._next()) is not None:
            yield found

    def _next(self) -> PlayerRequest | bytes | None:
        while self._data.startswith((b"\r", b"\n")):
            del self._data[:1]
        if self._data[:1] == b"$":
            return self._take_packet()
        end = self._data.find(b"\r\n\r\n")
        if end < 0:
            if len(self._data) > LARGEST:
                raise Malformed("a request's headers never end")
            return None
        request = parse(bytes(self._data[:end]))
        try:
            length = int(request.headers.get("content-length", "0"))
        except ValueError:
            raise Malformed("Content-Length is not a number") from None
        whole = end + 4 + length
        if length < 0 or length > LARGEST:
            raise Malformed(f"a request's body of {length} bytes")
        if len(self._data) < whole:
            return None
        body = bytes(self._data[end + 4 : whole])
        del self._data[:whole]
        return PlayerRequest(request.method, request.url, request.headers, body)

    def _take_packet(self) -> bytes | None:
        if len(self._data) < 4:
            return None
        whole = 4 + int.from_bytes(self._data[2:4], "big")
        if len(self._data) < whole:
            return None
        packet = bytes(self._data[:whole])
        del self._data[:whole]
        return packet


def parse(head: bytes) -> PlayerRequest:
    """Parse a request's first line and headers. Raises Malformed."""
    lines = head.decode("utf-8", "replace").split("\r\n")
    first = lines[0].split(" ")
    headers = {}
    for line in lines[1:]:
        name, _, value = line.partition(":")
        headers[name.strip().lower()] = value.strip()
    if first[0].startswith("RTSP/"):
        return PlayerRequest("", "", headers)
    if len(first) != 3 or not first[2].startswith("RTSP/"):
        raise Malformed(f"not a request: {lines[0][:80]!r}")
    return PlayerRequest(first[0], first[1], headers)


def render(answer: CameraResponse, cseq: str | None, odd: Misbehaviour) -> bytes:
    """Encode a response in the camera's style."""
    reason = "" if odd.no_reason else f" {REASONS.get(answer.status, 'Unknown')}"
    headers = list(answer.headers)
    if cseq is not None and odd.cseq != "missing":
        if odd.cseq == "wrong":
            cseq = str(int(cseq) + 7) if cseq.isdecimal() else "7"
        headers.insert(0, ("CSeq", cseq))
    if answer.body:
        headers.append(("Content-Length", str(len(answer.body))))
    lines = [f"RTSP/1.0 {answer.status}{reason}"]
    lines += [f"{_change_case(name, odd.header_case)}: {value}" for name, value in headers]
    end = "\r\n" if odd.line_end == "crlf" else "\n"
    return "".join(line + end for line in [*lines, ""]).encode() + answer.body


def _change_case(name: str, case: str) -> str:
    if case == "usual":
        return name
    return name.lower() if case == "lower" else name.upper()
