"""Answer about the state of the VPN."""

from __future__ import annotations

from typing import Annotated, Literal, NotRequired

from pydantic import with_config
from typing_extensions import TypedDict

from touchline.core.answers import ANSWER, OPEN_OBJECT, Timestamp, Undocumented

Health = Literal["healthy", "unhealthy", "starting", "unknown"]


class SingleVpnStatus(TypedDict):
    """State of one VPN container."""

    enabled: bool
    status: str
    container_name: str
    container: str
    health: Health
    connected: bool
    forwarded_port: int | None
    public_ip: str | None
    provider: str | None
    country: str | None
    city: str | None
    region: str | None
    double_checked: bool
    last_check: str | None
    last_check_at: str | None
    error: NotRequired[str]


class EmergencyMode(TypedDict):
    """Which VPN is lost, which one remains, and for how long."""

    active: bool
    failed_vpn: str | None
    healthy_vpn: str | None
    duration_seconds: float
    entered_at: NotRequired[str]


@with_config(ANSWER)
class VpnStatus(TypedDict):
    """State of the VPN. With two VPNs, `vpn1` and `vpn2` have the same fields for each."""

    mode: Literal["disabled", "single", "redundant"]
    enabled: bool
    status: str
    """State of the container; `not_found` or `error` without one."""
    container_name: str | None
    container: str | None
    """Same as `container_name`."""
    health: Health
    connected: bool
    forwarded_port: int | None
    last_check: Timestamp | None
    last_check_at: Timestamp | None
    """Same as `last_check`."""
    vpn1: Annotated[SingleVpnStatus, OPEN_OBJECT] | None
    vpn2: Annotated[SingleVpnStatus, OPEN_OBJECT] | None
    emergency_mode: Annotated[EmergencyMode, OPEN_OBJECT]
    """Keys: active, failed_vpn, healthy_vpn, duration_seconds, entered_at."""
    public_ip: NotRequired[Undocumented[str | None]]
    provider: NotRequired[Undocumented[str | None]]
    country: NotRequired[Undocumented[str | None]]
    city: NotRequired[Undocumented[str | None]]
    region: NotRequired[Undocumented[str | None]]
    double_checked: NotRequired[Undocumented[bool]]
    error: NotRequired[Undocumented[str]]
