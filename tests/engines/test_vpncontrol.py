"""The control server's client, against the simulated one."""

from __future__ import annotations

from typing import Any

import anyio
import pytest

from support.simulated import simulated_vpn
from touchline.engines.settings import VpnSettings
from touchline.engines.vpncontrol import ControlFailed, Location, open_vpn_control
from touchline.engines.vpnproviders import provider_name
from touchline.sim.vpn import Vpn, credentials_of

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("legacy", [False, True])
async def test_newer_and_older_servers_are_asked_alike(*, legacy: bool) -> None:
    vpn = Vpn(port=51413, legacy=legacy)
    async with simulated_vpn(vpn) as url, open_vpn_control(VpnSettings()) as control:
        assert await control.running(url) is True
        assert await control.forwarded_port(url) == 51413
        assert await control.location(url) == Location(
            "203.0.113.7", "Netherlands", "Amsterdam", "North Holland"
        )
        vpn.up = False
        assert await control.running(url) is False
        assert await control.forwarded_port(url) is None
        assert (await control.location(url)).public_ip is None


@pytest.mark.parametrize(
    ("environ", "settings"),
    [
        ({"HTTP_CONTROL_KEY": "k"}, {"api_key": "k"}),
        (
            {"HTTP_CONTROL_USER": "u", "HTTP_CONTROL_PASSWORD": "p"},
            {"api_user": "u", "api_password": "p"},
        ),
    ],
)
async def test_credentials_are_sent_and_their_lack_is_named(
    environ: dict[str, str], settings: dict[str, Any]
) -> None:
    vpn = Vpn(port=1, credentials=credentials_of(environ))
    async with simulated_vpn(vpn) as url:
        async with open_vpn_control(VpnSettings(**settings)) as control:
            assert await control.forwarded_port(url) == 1
        async with open_vpn_control(VpnSettings()) as control:
            with pytest.raises(ControlFailed, match="credentials"):
                await control.forwarded_port(url)


async def test_a_server_that_is_silent_or_gone_is_a_failure(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("touchline.engines.vpncontrol.TIMEOUT_S", 0.1)
    async with open_vpn_control(VpnSettings()) as control:
        async with simulated_vpn(Vpn(hang=True)) as url:
            with anyio.fail_after(2), pytest.raises(ControlFailed):
                await control.running(url)
        with pytest.raises(ControlFailed):
            await control.running("http://127.0.0.1:1")


@pytest.mark.parametrize(
    ("word", "name"),
    [
        ("mullvad", "Mullvad"),
        ("pia", "Private Internet Access"),
        ("perfectprivacy", "Perfect Privacy"),
        ("my own", "My Own"),
        ("", None),
        (None, None),
    ],
)
def test_providers_are_named_as_they_name_themselves(word: str | None, name: str | None) -> None:
    assert provider_name(word) == name
