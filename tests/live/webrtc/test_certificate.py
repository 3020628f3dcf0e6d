from __future__ import annotations

import pytest

from support.shows import showing
from support.viewer import RsaCertificate, Viewer
from touchline.live.webrtc.certificate import CIPHERS, Certificate

pytestmark = pytest.mark.anyio


@pytest.mark.parametrize("key", ["ecdsa", "rsa"])
@pytest.mark.parametrize("setup", ["actpass", "active", "passive"])
async def test_a_viewer_with_either_kind_of_key_connects_in_each_dtls_role(
    setup: str, key: str
) -> None:
    async with showing() as show:
        certificate = RsaCertificate.make() if key == "rsa" else None
        _, viewer = await show.join(Viewer(setup, certificate))
        assert len(await viewer.frames(3)) == 3


def test_both_kinds_of_keys_are_offered_with_strong_ciphers_only() -> None:
    offered = CIPHERS.split(":")
    assert {each.split("-")[1] for each in offered} == {"ECDSA", "RSA"}
    assert all(each.startswith("ECDHE-") for each in offered)
    certificate = Certificate.generateCertificate()
    assert certificate.getFingerprints()
