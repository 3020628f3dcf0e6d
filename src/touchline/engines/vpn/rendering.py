"""State of a VPN, and its representations in the API."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime

from touchline.engines.vpn.answers import (
    EmergencyMode,
    Health,
    SingleVpnStatus,
    VpnStatus,
)
from touchline.engines.vpn.control import Location

NO_EMERGENCY: EmergencyMode = {
    "active": False,
    "failed_vpn": None,
    "healthy_vpn": None,
    "duration_seconds": 0,
}


@dataclass(frozen=True, slots=True)
class VpnState:
    """State of one VPN container, as last seen."""

    name: str
    container_id: str | None = None
    status: str = "unknown"
    """Docker's name of its state.

    It is `not_found` or `error` where there is none.
    """
    health: Health = "unknown"
    double_checked: bool = False
    """Whether its engines were asked after its own check reported unhealthy."""
    forwarded_port: int | None = None
    location: Location = field(default_factory=Location)
    provider: str | None = None
    started_at: datetime | None = None
    checked_at: datetime | None = None
    """Time of the last check; None: it has not been checked yet."""
    was_connected: bool = False
    """Whether it has been connected since the server started."""
    up_since: datetime | None = None
    """Start of its network; engines that are older have a dead one."""
    error: str | None = None

    @property
    def connected(self) -> bool:
        """Whether engines behind it reach the network."""
        return self.health == "healthy"

    @property
    def is_lost(self) -> bool:
        """Whether it is known to be disconnected, and not only starting."""
        known = self.checked_at is not None and self.status != "error"
        return known and self.health not in {"healthy", "starting"}


def vpn_json(vpn: VpnState) -> SingleVpnStatus:
    """Return the state of one VPN."""
    at = vpn.checked_at.isoformat() if vpn.checked_at is not None else None
    shown: SingleVpnStatus = {
        "enabled": True,
        "status": vpn.status,
        "container_name": vpn.name,
        "container": vpn.name,
        "health": vpn.health,
        "connected": vpn.connected,
        "forwarded_port": vpn.forwarded_port,
        "public_ip": vpn.location.public_ip,
        "provider": vpn.provider if vpn.connected else None,
        "country": vpn.location.country,
        "city": vpn.location.city,
        "region": vpn.location.region,
        "double_checked": vpn.double_checked,
        "last_check": at,
        "last_check_at": at,
    }
    if vpn.error is not None:
        shown["error"] = vpn.error
    return shown


def status_json(
    vpns: Sequence[VpnState], emergency: EmergencyMode, *, redundant: bool
) -> VpnStatus:
    """Return the state of all VPNs: none configured, one, or two."""
    shown = [vpn_json(vpn) for vpn in vpns]
    if not shown:
        return {
            "mode": "disabled",
            "enabled": False,
            "status": "disabled",
            "container_name": None,
            "container": None,
            "health": "unknown",
            "connected": False,
            "forwarded_port": None,
            "last_check": None,
            "last_check_at": None,
            "vpn1": None,
            "vpn2": None,
            "emergency_mode": emergency,
        }
    if not redundant:
        return {
            **shown[0],
            "mode": "single",
            "vpn1": shown[0],
            "vpn2": None,
            "emergency_mode": emergency,
        }
    connected = any(vpn.connected for vpn in vpns)
    return {
        "mode": "redundant",
        "enabled": True,
        "status": "running" if connected else "unhealthy",
        "container_name": vpns[0].name,
        "container": vpns[0].name,
        "health": "healthy" if connected else vpns[0].health,
        "connected": connected,
        "forwarded_port": vpns[0].forwarded_port,
        "last_check": shown[0]["last_check"],
        "last_check_at": shown[0]["last_check_at"],
        "vpn1": shown[0],
        "vpn2": shown[1],
        "emergency_mode": emergency,
    }


def emergency_json(emergency: tuple[str, str, datetime] | None, now: datetime) -> EmergencyMode:
    """Return which VPN is lost, which one remains, and for how long."""
    if emergency is None:
        return NO_EMERGENCY
    failed, healthy, since = emergency
    return {
        "active": True,
        "failed_vpn": failed,
        "healthy_vpn": healthy,
        "duration_seconds": round((now - since).total_seconds(), 3),
        "entered_at": since.isoformat(),
    }
