"""Client of a VPN container's control server (Gluetun's API), in bounded time.

Newer routes are tried first, and older ones if a server does not have them:
<https://github.com/qdm12/gluetun-wiki/blob/main/setup/advanced/control-server.md>.
"""

from __future__ import annotations

import base64
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

from touchline.core.errors import Failed
from touchline.engines.http.client import HttpClient, open_http_client
from touchline.engines.http.errors import HttpFailed
from touchline.engines.settings.tree import VpnSettings
from touchline.foreign.json import parse_foreign

TIMEOUT_S = 5.0
LARGEST_ANSWER_BYTES = 64 << 10
MOST_CONNECTIONS = 8

_STATUS = ("/v1/vpn/status", "/v1/openvpn/status")
_PORT = ("/v1/portforward", "/v1/openvpn/portforwarded")
_ADDRESS = ("/v1/publicip/ip",)
_NO_RIGHT = frozenset({401, 403})
_NO_ROUTE = frozenset({400, 404, 405}) | _NO_RIGHT
"""Statuses for an unknown route, depending on the release of the server."""


class ControlFailed(Failed):
    """Control server that did not answer, or not with the expected content."""

    default_code = "vpn_control_failed"


@dataclass(frozen=True, slots=True)
class Location:
    """Location of the VPN's exit, as far as it is known."""

    public_ip: str | None = None
    country: str | None = None
    city: str | None = None
    region: str | None = None


class VpnControl:
    """Client of control servers, with the key or the password of the settings."""

    def __init__(self, http: HttpClient) -> None:
        self._http = http
        self._older: set[tuple[str, str]] = set()

    async def running(self, url: str) -> bool:
        """Return whether the tunnel is up. Raises ControlFailed."""
        return (await self._ask(url, _STATUS)).get("status") == "running"

    async def forwarded_port(self, url: str) -> int | None:
        """Return the forwarded port; None: there is none. Raises ControlFailed."""
        port = (await self._ask(url, _PORT)).get("port")
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port <= 65535:
            return None
        return port

    async def location(self, url: str) -> Location:
        """Return the address and the location of the exit. Raises ControlFailed."""
        answer = await self._ask(url, _ADDRESS)
        return Location(
            public_ip=_text(answer.get("public_ip")),
            country=_text(answer.get("country")),
            city=_text(answer.get("city")),
            region=_text(answer.get("region")),
        )

    async def _ask(self, url: str, routes: tuple[str, ...]) -> Mapping[str, Any]:
        """Return the answer of the first route that this server has, and remember that route.

        Unknown routes are answered with 404, or with 400 and 401 up to release 3.40.
        """
        newest, oldest = routes[0], routes[-1]
        refused: int | None = None
        if newest != oldest and (url, newest) not in self._older:
            status, answer = await self._get(url + newest)
            if status not in _NO_ROUTE:
                return _checked(url + newest, status, answer)
            refused = status
        status, answer = await self._get(url + oldest)
        if status < 300 and refused is not None:
            self._older.add((url, newest))
        elif status in _NO_ROUTE:
            # The server may have been updated since.
            self._older.discard((url, newest))
            status = refused if refused in _NO_RIGHT else status
        return _checked(url + oldest, status, answer)

    async def _get(self, url: str) -> tuple[int, Any]:
        try:
            status, body = await self._http.get(url, within_s=TIMEOUT_S)
            return status, parse_foreign(body) if status < 300 else None
        except TimeoutError as error:
            raise ControlFailed(
                f"The VPN's control server did not respond within {TIMEOUT_S:g} s"
            ) from error
        except HttpFailed as error:
            raise ControlFailed(
                f"The request to the VPN's control server failed: {error}"
            ) from error
        except ValueError as error:
            raise ControlFailed(
                f"The VPN's control server sent an invalid response: {error}"
            ) from error


@asynccontextmanager
async def open_vpn_control(settings: VpnSettings) -> AsyncIterator[VpnControl]:
    """Open a client with the credentials of the settings."""
    headers = {}
    if settings.api_key is not None:
        headers["X-API-Key"] = settings.api_key.get_secret_value()
    if settings.api_user is not None:
        password = settings.api_password.get_secret_value() if settings.api_password else ""
        pair = f"{settings.api_user}:{password}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    async with open_http_client(
        most=MOST_CONNECTIONS,
        most_a_host=MOST_CONNECTIONS,
        most_bytes=LARGEST_ANSWER_BYTES,
        headers=headers,
    ) as http:
        yield VpnControl(http)


def _checked(url: str, status: int, answer: Any) -> Mapping[str, Any]:
    if status in _NO_RIGHT:
        raise ControlFailed(
            f"{url} refuses the credentials: set engines.vpn.api_key, or api_user and api_password",
            code="vpn_control_refused",
        )
    if status >= 300 or not isinstance(answer, dict):
        raise ControlFailed(f"{url} answered with status {status}")
    return answer


def _text(value: object) -> str | None:
    return value[:128] if isinstance(value, str) and value else None
