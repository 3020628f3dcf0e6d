"""What we ask of a VPN container's control server (Gluetun's API), in bounded time.

Newer routes are tried first and the older ones where a server does not have them:
<https://github.com/qdm12/gluetun-wiki/blob/main/setup/advanced/control-server.md>.
"""

from __future__ import annotations

import base64
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import aiohttp
import anyio

from touchline.core.errors import Failed
from touchline.engines.settings import VpnSettings

TIMEOUT_S = 5.0
LARGEST_ANSWER_BYTES = 64 << 10

_STATUS = ("/v1/vpn/status", "/v1/openvpn/status")
_PORT = ("/v1/portforward", "/v1/openvpn/portforwarded")
_ADDRESS = ("/v1/publicip/ip",)


class ControlFailed(Failed):
    """The control server did not answer, or not with what was asked for."""

    default_code = "vpn_control_failed"


@dataclass(frozen=True, slots=True)
class Location:
    """Where the VPN's exit is, as far as it is known."""

    public_ip: str | None = None
    country: str | None = None
    city: str | None = None
    region: str | None = None


class VpnControl:
    """Asks control servers, with the key or the password of the settings."""

    def __init__(self, session: aiohttp.ClientSession) -> None:
        self._session = session
        self._older: set[tuple[str, str]] = set()

    async def running(self, url: str) -> bool:
        """Whether the tunnel is up. Raises ControlFailed."""
        return (await self._ask(url, _STATUS)).get("status") == "running"

    async def forwarded_port(self, url: str) -> int | None:
        """The port that is forwarded; None: there is none. Raises ControlFailed."""
        port = (await self._ask(url, _PORT)).get("port")
        if isinstance(port, bool) or not isinstance(port, int) or not 0 < port <= 65535:
            return None
        return port

    async def location(self, url: str) -> Location:
        """The address and the place of the exit. Raises ControlFailed."""
        told = await self._ask(url, _ADDRESS)
        return Location(
            public_ip=_text(told.get("public_ip")),
            country=_text(told.get("country")),
            city=_text(told.get("city")),
            region=_text(told.get("region")),
        )

    async def _ask(self, url: str, routes: tuple[str, ...]) -> Mapping[str, Any]:
        """The first of the routes that this server has; which one that was is remembered."""
        newest, oldest = routes[0], routes[-1]
        if newest != oldest and (url, newest) not in self._older:
            status, told = await self._get(url + newest)
            if status != 404:
                return _checked(url + newest, status, told)
            self._older.add((url, newest))
        status, told = await self._get(url + oldest)
        if status == 404:
            # It may have been brought up to date since.
            self._older.discard((url, newest))
        return _checked(url + oldest, status, told)

    async def _get(self, url: str) -> tuple[int, Any]:
        try:
            with anyio.fail_after(TIMEOUT_S):
                async with self._session.get(url, allow_redirects=False) as response:
                    body = await response.content.read(LARGEST_ANSWER_BYTES)
                    return response.status, json.loads(body) if response.status < 300 else None
        except TimeoutError as error:
            raise ControlFailed(
                f"The VPN's control server did not answer in {TIMEOUT_S:g} s"
            ) from error
        except (aiohttp.ClientError, OSError) as error:
            raise ControlFailed(f"The VPN's control server cannot be asked: {error}") from error
        except ValueError as error:
            raise ControlFailed("The VPN's control server answered with no JSON") from error


@asynccontextmanager
async def open_vpn_control(settings: VpnSettings) -> AsyncIterator[VpnControl]:
    """A client with the credentials of the settings."""
    headers = {}
    if settings.api_key is not None:
        headers["X-API-Key"] = settings.api_key.get_secret_value()
    if settings.api_user is not None:
        password = settings.api_password.get_secret_value() if settings.api_password else ""
        pair = f"{settings.api_user}:{password}".encode()
        headers["Authorization"] = f"Basic {base64.b64encode(pair).decode()}"
    async with aiohttp.ClientSession(
        headers=headers,
        cookie_jar=aiohttp.DummyCookieJar(),
        timeout=aiohttp.ClientTimeout(total=None),
        trust_env=False,
    ) as session:
        yield VpnControl(session)


def _checked(url: str, status: int, told: Any) -> Mapping[str, Any]:
    if status in {401, 403}:
        raise ControlFailed(
            f"{url} wants other credentials: set engines.vpn.api_key, or api_user and api_password",
            code="vpn_control_refused",
        )
    if status >= 300 or not isinstance(told, dict):
        raise ControlFailed(f"{url} answered with status {status}")
    return told


def _text(value: object) -> str | None:
    return value[:128] if isinstance(value, str) and value else None
