"""The certificate for WebRTC viewers, with ciphers for both kinds of viewer keys."""

from __future__ import annotations

from typing import TYPE_CHECKING

from aiortc import RTCCertificate

if TYPE_CHECKING:
    from aiortc.rtcdtlstransport import SRTPProtectionProfile
    from OpenSSL import SSL

CIPHERS = ":".join(
    f"ECDHE-{key}-{cipher}"
    for cipher in ("AES128-GCM-SHA256", "CHACHA20-POLY1305", "AES128-SHA", "AES256-SHA")
    for key in ("ECDSA", "RSA")
)
"""A cipher names the kind of the DTLS server's key.

If the viewer is the DTLS server, that is its own: RSA with GStreamer. aiortc offers only ECDSA, the
kind of our key.
"""


class Certificate(RTCCertificate):
    """A certificate with an ECDSA key that connects to viewers with ECDSA and RSA keys."""

    def _create_ssl_context(self, srtp_profiles: list[SRTPProtectionProfile]) -> SSL.Context:
        context = super()._create_ssl_context(srtp_profiles)
        context.set_cipher_list(CIPHERS.encode())
        return context
