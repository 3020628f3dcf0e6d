"""The labels of an instance: the record of what it is, which adoption reads back."""

from __future__ import annotations

from collections.abc import Mapping

HTTP_PORT = "acestream.http_port"
HTTPS_PORT = "acestream.https_port"
HOST_HTTP_PORT = "host.http_port"
HOST_HTTPS_PORT = "host.https_port"
VARIANT = "acestream.engine_variant"
VPN_CONTAINER = "acestream.vpn_container"
FORWARDED = "acestream.forwarded"
P2P_PORT = "acestream.p2p_port"
START = "touchline.start"
"""Which start made a container; a runtime shows it to nobody else."""
GENERATION = "touchline.generation"
"""Which configuration it was made with."""
IDEMPOTENCY = "touchline.idempotency"
"""A hash of the key with which its client asked for it, so that asking again finds it."""

OURS = frozenset(
    {
        HTTP_PORT,
        HTTPS_PORT,
        HOST_HTTP_PORT,
        HOST_HTTPS_PORT,
        VARIANT,
        VPN_CONTAINER,
        FORWARDED,
        P2P_PORT,
        START,
        GENERATION,
        IDEMPOTENCY,
    }
)
"""What a caller's labels can never say; the management label is refused as well."""


def is_engine(labels: Mapping[str, str]) -> bool:
    """Whether a managed instance runs an engine, and not something of `POST /provision`."""
    return port_of(labels, HTTP_PORT) is not None


def port_of(labels: Mapping[str, str], name: str) -> int | None:
    """The port under this label; None where there is none, or no port's number."""
    text = labels.get(name, "")
    port = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    return port if 0 < port <= 65535 else None
