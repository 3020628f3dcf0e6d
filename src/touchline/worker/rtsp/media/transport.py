"""Transport of a stream's packets: the SETUP request and the camera's grant."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

Way = Literal["tcp", "udp"]
Choice = Literal["tcp", "udp", "auto"]

_PAIR = re.compile(r"(\d{1,5})(?:-(\d{1,5}))?", re.ASCII)


@dataclass(frozen=True)
class Granted:
    """The camera's Transport header, parsed."""

    way: Way
    channels: tuple[int, int]
    ports: tuple[int, int] | None
    source: str | None


def ways(choice: Choice, *, tls: bool, before: Way | None) -> tuple[Way, ...]:
    """Return the transports to try, in order; `before` is the last one of an earlier session.

    If a camera refuses one (461), the other is requested. With TLS, only TCP keeps the packets
    confidential.
    """
    if tls:
        return ("tcp",)
    first: Way = "tcp" if choice == "tcp" else "udp"
    if before is not None:
        first = before
    return (first, "udp" if first == "tcp" else "tcp")


def build_transport(way: Way, ports: tuple[int, int] | None) -> str:
    """Build the Transport header of a SETUP."""
    if ports is None or way == "tcp":
        return "RTP/AVP/TCP;unicast;interleaved=0-1"
    return f"RTP/AVP;unicast;client_port={ports[0]}-{ports[1]}"


def granted_transport(header: str | None, asked: Way) -> Granted:
    """Parse the Transport header of a response; missing values are as requested."""
    fields = [part.strip() for part in (header or "").split(",")[0].split(";")[:32]]
    values = {
        name.strip().lower(): value.strip() for name, _, value in (f.partition("=") for f in fields)
    }
    way = asked
    if "interleaved" in values or fields[0].upper().endswith("/TCP"):
        way = "tcp"
    elif "server_port" in values or "client_port" in values:
        way = "udp"
    channels = _pair(values.get("interleaved"), 255) or (0, 1)
    return Granted(way, channels, _pair(values.get("server_port"), 65535), values.get("source"))


def _pair(text: str | None, most: int) -> tuple[int, int] | None:
    match = _PAIR.fullmatch(text or "")
    if match is None:
        return None
    first = int(match[1])
    second = int(match[2]) if match[2] else min(first + 1, most)
    return (first, second) if max(first, second) <= most else None
