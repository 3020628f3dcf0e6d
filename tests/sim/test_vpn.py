"""The simulated VPN as a program: each release answers as that release of Gluetun does."""

from __future__ import annotations

import httpx
import pytest

from support.simulated import vpn_program
from touchline.engines.settings.tree import VpnSettings
from touchline.engines.vpn.control import open_vpn_control
from touchline.sim.vpn import RELEASES

pytestmark = pytest.mark.anyio

OLDER = ("/v1/openvpn/status", "/v1/openvpn/portforwarded", "/v1/publicip/ip")
NEWER = ("/v1/vpn/status", "/v1/portforward")
ANSWERS = {
    "3.38": {"newer": 400, "unknown": 400},
    "3.40": {"newer": 401, "unknown": 401},
    "3.41": {"newer": 200, "unknown": 404},
}


def test_the_releases_are_those_whose_answers_are_known() -> None:
    assert set(RELEASES) == set(ANSWERS)


@pytest.mark.parametrize("release", ANSWERS)
async def test_a_release_answers_as_it_did(release: str) -> None:
    expected = ANSWERS[release]
    with vpn_program("--release", release, "--forwarded-port", "51413") as url:
        async with httpx.AsyncClient(base_url=url) as client:
            for path in OLDER:
                assert (await client.get(path)).status_code == 200, path
            for path in NEWER:
                assert (await client.get(path)).status_code == expected["newer"], path
            for path in ("/", "/v1/nothing", "/v1/vpn/status/x"):
                assert (await client.get(path)).status_code == expected["unknown"], path
            forwarded = await client.get("/v1/openvpn/portforwarded")
            assert forwarded.json() == {"port": 51413}
        async with open_vpn_control(VpnSettings()) as control:
            assert await control.running(url) is True
            assert await control.forwarded_port(url) == 51413


async def test_without_a_release_it_is_the_newest() -> None:
    with vpn_program() as url:
        async with httpx.AsyncClient(base_url=url) as client:
            assert (await client.get("/v1/portforward")).json() == {"port": 0}
            assert (await client.get("/v1/nothing")).status_code == 404
