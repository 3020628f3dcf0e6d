"""Labels of an instance, which record its purpose for a later adoption."""

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
"""Label with the id of the start that created a container, hidden by the runtime."""
GENERATION = "touchline.generation"
"""Label with the generation of the configuration it was created with."""
IDEMPOTENCY = "touchline.idempotency"
"""Label with a hash of the client's idempotency key.

A repeated request finds its instance by this label.
"""

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
"""Labels that a caller must not set.

The management label is refused as well.
"""


def is_engine(labels: Mapping[str, str]) -> bool:
    """Return whether a managed instance runs an engine.

    Otherwise it comes from `POST /provision`.
    """
    return port_of(labels, HTTP_PORT) is not None


def port_of(labels: Mapping[str, str], name: str) -> int | None:
    """Return the port in this label; None where it is missing or not a port number."""
    text = labels.get(name, "")
    port = int(text) if text.isascii() and text.isdigit() and len(text) <= 5 else 0
    return port if 0 < port <= 65535 else None
