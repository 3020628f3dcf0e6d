"""Spelling of VPN providers' names."""

from __future__ import annotations

_NAMES = (
    "AirVPN",
    "Cyberghost",
    "ExpressVPN",
    "FastestVPN",
    "Giganews",
    "HideMyAss",
    "IPVanish",
    "IVPN",
    "Mullvad",
    "NordVPN",
    "Perfect Privacy",
    "Privado",
    "Private Internet Access",
    "PrivateVPN",
    "ProtonVPN",
    "PureVPN",
    "SlickVPN",
    "Surfshark",
    "TorGuard",
    "VPNSecure.me",
    "VPNUnlimited",
    "Vyprvpn",
    "WeVPN",
    "Windscribe",
)
_BY_WORD = {name.lower(): name for name in _NAMES} | {
    "perfectprivacy": "Perfect Privacy",
    "pia": "Private Internet Access",
    "vpnsecure": "VPNSecure.me",
}


def provider_name(word: str | None) -> str | None:
    """Return the name of a VPN container's provider; None: it is not stated."""
    if not word:
        return None
    return _BY_WORD.get(word.strip().lower(), word.strip().title())
