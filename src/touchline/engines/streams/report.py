"""Client report of a stream: its id, and checks beyond the request's schema."""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from touchline.core.errors import Invalid
from touchline.engines.model.model import KeyType

LONGEST_ID = 256
UNFIT = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")
_HOST = re.compile(r"[A-Za-z0-9._:-]{1,253}")


@dataclass(frozen=True)
class StreamReport:
    """Client's report of a stream that it has started."""

    container_id: str | None
    host: str
    port: int
    key_type: KeyType
    key: str
    playback_session_id: str
    stat_url: str
    command_url: str
    is_live: bool
    labels: Mapping[str, str]

    @property
    def stream_id(self) -> str:
        """Id of the stream; a hash where key and session are too long."""
        named = self.labels.get("stream_id")
        if named:
            return named
        made = f"{self.key}|{self.playback_session_id}"
        if len(made) <= LONGEST_ID:
            return made
        return hashlib.sha256(made.encode("utf-8", "surrogatepass")).hexdigest()


def check_report(report: StreamReport, stream_id: str) -> None:
    """Check a report. Raises Invalid for an impossible id or host."""
    if not 0 < len(stream_id) <= LONGEST_ID or UNFIT.search(stream_id):
        raise Invalid(
            "The stream's id must have 1 to 256 printable characters",
            code="stream_id_invalid",
            loc=("body", "labels", "stream_id"),
            input=stream_id,
        )
    if _HOST.fullmatch(report.host) is None:
        raise Invalid(
            "engine.host is not a valid host name or address",
            code="host_invalid",
            loc=("body", "engine", "host"),
            input=report.host,
        )


def address_in(name: str, url: str) -> tuple[str, int]:
    """Return host and port of an http URL. Raises Invalid for anything else."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        parts, host, port = None, None, None
    if parts is None or parts.scheme not in {"http", "https"} or not host or UNFIT.search(url):
        raise Invalid(
            f"{name} is not an http URL",
            code="url_invalid",
            loc=("body", "session", name),
            input=url,
        )
    return host.lower(), port or (443 if parts.scheme == "https" else 80)
