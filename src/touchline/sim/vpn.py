"""The command `touchline simulate vpn`: the control server of a VPN container, like Gluetun's.

There is no tunnel; its simulated state is set at `/sim/set`, by query: `up=0` (the tunnel is down),
`port=` (the forwarded port; 0 for none), `ip=`, `country=`, `healthy=0` (only the health check
fails), `hang=1` (the control server does not respond). With a key (`HTTP_CONTROL_KEY`) or a user
and a password (`HTTP_CONTROL_USER`, `HTTP_CONTROL_PASSWORD`) requests need them. `--release`
selects the behaviour of 3.38 and 3.40, which have only the older routes and answer all others with
400 or 401, or of 3.41; `--legacy` has the older routes and answers 404. `--check` asks a running
one for its health and exits with 0 or 1, as a container's health check.
"""

from __future__ import annotations

import argparse
import asyncio
import base64
import hmac
import os
import signal
import sys
import urllib.request
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field

from touchline.sim.httpserver import HttpRequest, Reply, Silence, as_json, serve

CHECK_TIMEOUT_S = 2.0
RELEASES = {"3.38": (True, 400), "3.40": (True, 401), "3.41": (False, 404)}
"""By release: whether it has only the older routes, and the status for missing ones."""


@dataclass
class Vpn:
    """Options of the simulated VPN."""

    up: bool = True
    healthy: bool = True
    hang: bool = False
    legacy: bool = False
    unknown_status: int = 404
    """Status for a route that it does not have."""
    port: int = 0
    ip: str = "203.0.113.7"
    country: str = "Netherlands"
    city: str = "Amsterdam"
    region: str = "North Holland"
    credentials: Mapping[str, str] = field(default_factory=dict)
    """Headers that authenticate a request; empty for no authentication."""

    async def handle(self, request: HttpRequest) -> Reply:
        """Handle one request."""
        if request.path == "/sim/set":
            return self._set(request.query)
        if request.path == "/sim/health":
            return as_json({"healthy": self.up and self.healthy}, 200 if self.is_well else 500)
        if self.hang:
            raise Silence
        if not self._admits(request):
            return as_json({"error": "unauthorized"}, 401)
        answer = self._answer(request.path)
        if answer is None:
            return as_json({"error": "not found"}, self.unknown_status)
        return as_json(answer)

    @property
    def is_well(self) -> bool:
        """Result of the VPN's health check."""
        return self.up and self.healthy

    def _answer(self, path: str) -> dict[str, object] | None:
        status: dict[str, object] = {"status": "running" if self.up else "stopped"}
        port: dict[str, object] = {"port": self.port if self.up else 0}
        older = {"/v1/openvpn/status": status, "/v1/openvpn/portforwarded": port}
        newer = {"/v1/vpn/status": status, "/v1/portforward": port}
        where: dict[str, object] = {"public_ip": ""}
        if self.up:
            where = {
                "public_ip": self.ip,
                "country": self.country,
                "city": self.city,
                "region": self.region,
                "location": "52.37,4.89",
                "organization": "Simulated",
                "postal_code": "1012",
                "timezone": "Europe/Amsterdam",
            }
        known: dict[str, Mapping[str, object]] = {**older, "/v1/publicip/ip": where}
        if not self.legacy:
            known |= newer
        found = known.get(path)
        return dict(found) if found is not None else None

    def _admits(self, request: HttpRequest) -> bool:
        if not self.credentials:
            return True
        return any(
            hmac.compare_digest(request.headers.get(name, "").encode(), value.encode())
            for name, value in self.credentials.items()
        )

    def _set(self, query: Mapping[str, str]) -> Reply:
        for name, value in query.items():
            if name in {"up", "healthy", "hang", "legacy"}:
                setattr(self, name, value not in {"0", "false", ""})
            elif name == "port":
                self.port = int(value)
            elif name in {"ip", "country", "city", "region"}:
                setattr(self, name, value)
            else:
                return as_json({"error": f"there is no {name}"}, 404)
        return as_json({"up": self.up, "healthy": self.healthy, "port": self.port})


def credentials_of(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the headers of which a request needs one."""
    needed = {}
    if key := environ.get("HTTP_CONTROL_KEY"):
        needed["x-api-key"] = key
    if user := environ.get("HTTP_CONTROL_USER"):
        pair = f"{user}:{environ.get('HTTP_CONTROL_PASSWORD', '')}"
        needed["authorization"] = f"Basic {base64.b64encode(pair.encode()).decode()}"
    return needed


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--host", default="0.0.0.0", help="address to listen on (0.0.0.0)")  # noqa: S104
    add("--port", type=int, default=8000, help="port of the control server (8000)")
    add("--forwarded-port", type=int, default=0, help="forwarded port; 0 for none")
    add("--release", choices=sorted(RELEASES), default="3.41", help="release to imitate (3.41)")
    add("--legacy", action="store_true", help="serve the older routes only")
    add("--check", action="store_true", help="ask a running one for its health, and exit")


def run(args: argparse.Namespace) -> int:
    """Serve until SIGTERM or SIGINT, or check; return the exit status."""
    if args.check:
        return _check(args.port)
    legacy, unknown_status = RELEASES[args.release]
    vpn = Vpn(
        legacy=args.legacy or legacy,
        unknown_status=unknown_status,
        port=args.forwarded_port,
        credentials=credentials_of(os.environ),
    )
    with suppress(KeyboardInterrupt):
        return asyncio.run(_serve(vpn, args.host, args.port))
    return 0


def _check(port: int) -> int:
    try:
        with urllib.request.urlopen(
            f"http://127.0.0.1:{port}/sim/health", timeout=CHECK_TIMEOUT_S
        ) as answer:
            return 0 if answer.status == 200 else 1
    except OSError:
        return 1


async def _serve(vpn: Vpn, host: str, port: int) -> int:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    try:
        await serve(vpn.handle, host, port)
    except OSError as error:
        print(f"vpn: port {port} on {host}: {error.strerror}", file=sys.stderr)
        return 1
    print(f"ready http://{host}:{port}", flush=True)
    await over.wait()
    return 0


if __name__ == "__main__":
    made = argparse.ArgumentParser(prog="vpn")
    add_arguments(made)
    sys.exit(run(made.parse_args()))
