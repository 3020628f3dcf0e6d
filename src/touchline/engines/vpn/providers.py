"""How VPN providers write their own names."""

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
    """The name of the provider that a VPN container is configured with; None: it does not say."""
    if not word:
        return None
    return _BY_WORD.get(word.strip().lower(), word.strip().title())
