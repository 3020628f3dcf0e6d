"""RTSP messages (RFC 2326), and the SDP of a camera. Pure."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import NamedTuple
from urllib.parse import unquote

from touchline.foreign.numbers import whole
from touchline.media.h264.codec import Codec
from touchline.media.h264.units import PPS, SPS, parameter_sets

PAYLOAD_TYPE = 96
LARGEST_PORT = 65535
MOST_BODY_BYTES = 65536
TRACK = "trackID=0"

_HOST = r"(?:[^\[\]/?#]*\[[^\[\]/?#]*\])?[^\[\]/?#]*"
_URL = re.compile(rf"(?:[A-Za-z]+://{_HOST}((?:/[^?#]*)?)|([^?#:]*))(?:[?#].*)?")

REASONS = {
    200: "OK",
    400: "Bad Request",
    401: "Unauthorized",
    404: "Not Found",
    405: "Method Not Allowed",
    454: "Session Not Found",
    455: "Method Not Valid in This State",
    461: "Unsupported Transport",
    503: "Service Unavailable",
}


class BadRequest(ValueError):
    """The input is not RTSP."""


@dataclass(frozen=True)
class RtspRequest:
    """A request's first line and its headers, whose names are in lower case."""

    method: str
    url: str
    headers: Mapping[str, str]

    @property
    def body_bytes(self) -> int:
        """Length of the body. Raises BadRequest for an invalid or excessive one."""
        text = self.headers.get("content-length", "0")
        size = whole(text, most=MOST_BODY_BYTES)
        if size is None:
            raise BadRequest(f"{self.method} with the length {text[:20]!r}")
        return size

    @property
    def camera(self) -> str:
        """The first part of the path: the camera's name. Raises BadRequest if there is none."""
        found = _URL.fullmatch(self.url)
        if found is None:
            raise BadRequest(self.url[:80])
        return unquote(found[1] or found[2] or "").strip("/").partition("/")[0]

    def accepts_password(self, password: str | None) -> bool:
        """Return whether the request has the password, if one is set, with any user name."""
        if password is None:
            return True
        scheme, _, given = self.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "basic":
            return False
        try:
            text = base64.b64decode(given, validate=True)
        except (binascii.Error, ValueError):
            return False
        return hmac.compare_digest(text.partition(b":")[2], password.encode())


def parse_request(head: bytes) -> RtspRequest:
    """Parse the request of these lines. Raises BadRequest."""
    lines = head.decode("utf-8", "replace").split("\r\n")
    words = lines[0].split(" ")
    if len(words) != 3 or not words[2].startswith("RTSP/1.") or not lines[0].isprintable():
        raise BadRequest(lines[0][:80])
    headers = {}
    for line in lines[1:]:
        name, colon, value = line.partition(":")
        if colon:
            headers[name.strip().lower()] = value.strip()
    return RtspRequest(words[0].upper(), words[1], headers)


@dataclass(frozen=True)
class RtspResponse:
    """Response to a request."""

    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict)
    body: str = ""

    def encode(self, request: RtspRequest | None) -> bytes:
        """Encode the response."""
        lines = [f"RTSP/1.0 {self.status} {REASONS[self.status]}"]
        number = None if request is None else whole(request.headers.get("cseq", ""))
        if number is not None:
            lines.append(f"CSeq: {number}")
        lines += [f"{name}: {value}" for name, value in self.headers.items()]
        if self.body:
            lines.append(f"Content-Length: {len(self.body.encode())}")
        return ("\r\n".join(lines) + "\r\n\r\n" + self.body).encode()


class Transport(NamedTuple):
    """The transport chosen by a client: within this connection, or a pair of UDP ports."""

    interleaved: bool
    rtp: int
    rtcp: int


def parse_transport(text: str) -> Transport | None:
    """Return the first supported transport in the client's list; None if there is none."""
    for choice in text.split(","):
        words = [word.strip() for word in choice.split(";")]
        fields = dict(word.partition("=")[::2] for word in words)
        if "multicast" in words:
            continue
        if words[0].upper() == "RTP/AVP/TCP":
            pair = _pair(fields.get("interleaved", "0-1"))
            if pair is not None and max(pair) < 256:
                return Transport(True, *pair)
        elif words[0].upper() in {"RTP/AVP", "RTP/AVP/UDP"}:
            pair = _pair(fields.get("client_port", ""))
            if pair is not None and min(pair) > 0 and max(pair) < 65536:
                return Transport(False, *pair)
    return None


def _pair(text: str) -> tuple[int, int] | None:
    first, _, second = text.partition("-")
    begin = whole(first, most=LARGEST_PORT)
    if begin is None:
        return None
    end = whole(second, most=LARGEST_PORT) if second else begin + 1
    return None if end is None else (begin, end)


def describe(camera: str, codec: Codec) -> str:
    """Return the SDP of a camera's stream."""
    sets = [s for s in parameter_sets(codec.avcc) if s and s[0] & 0x1F in {SPS, PPS}]
    sprop = ",".join(base64.b64encode(s).decode() for s in sets)
    lines = (
        "v=0",
        "o=- 1 1 IN IP4 0.0.0.0",
        f"s={camera}",
        "t=0 0",
        "a=control:*",
        "a=range:npt=now-",
        f"m=video 0 RTP/AVP {PAYLOAD_TYPE}",
        "c=IN IP4 0.0.0.0",
        f"a=rtpmap:{PAYLOAD_TYPE} H264/90000",
        (
            f"a=fmtp:{PAYLOAD_TYPE} packetization-mode=1;"
            f"profile-level-id={codec.avcc[1:4].hex()};sprop-parameter-sets={sprop}"
        ),
        f"a=control:{TRACK}",
    )
    return "\r\n".join(lines) + "\r\n"
