"""Settings of live pictures, with bounds and defaults."""

from __future__ import annotations

import ipaddress
from pathlib import Path
from typing import Any, Literal
from urllib.parse import unquote, urlsplit

from pydantic import BaseModel, ConfigDict, Field, SecretStr, field_validator, model_validator

from touchline.capture.settings.answers import IceServer
from touchline.capture.sources.paths import absolute

Transport = Literal["hls", "webrtc"]


class PreviewSettings(BaseModel):
    """Settings of the live view over WebRTC, HLS and RTSP."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    transport_mode: Literal["hls", "webrtc", "dual"] = Field(
        "dual",
        description="Transport of previews that do not name one: `webrtc` uses WebRTC; `hls` and"
        " `dual` use HLS.",
    )
    stun_server: str | None = Field(
        "stun:stun.l.google.com:19302",
        description="STUN server for viewers behind a router. Empty: none; a local network does"
        " not need one.",
    )
    turn_server: SecretStr | None = Field(
        None,
        description="TURN relay for viewers without a direct connection, as"
        " turn:user:password@host:3478?transport=udp.",
    )
    hls_part_s: float = Field(
        0.25, ge=0.1, le=2, description="Duration of a partial segment of low-latency HLS."
    )
    hls_segment_s: float = Field(
        1.0,
        ge=0.5,
        le=10,
        description="Target duration of an HLS segment; never shorter than a GOP.",
    )
    hls_dir: Path | None = Field(
        None,
        description="Existing directory (absolute path) for the files of live HLS. Default: in"
        " memory (/dev/shm).",
    )
    hls_segments: int = Field(8, ge=4, le=60, description="Number of segments in a live playlist.")
    rtsp: bool = Field(
        False, description="Serve rtsp://…/cam0, … to VLC, OBS and network video recorders."
    )
    rtsp_host: str = Field(
        "127.0.0.1", min_length=1, description="Address the RTSP server listens on."
    )
    rtsp_port: int = Field(
        8554, ge=0, le=65535, description="Port of the RTSP server; 0 picks a free one."
    )
    rtsp_password: SecretStr | None = Field(
        None,
        description="Password for RTSP clients, with any user name. Required unless `rtsp_host`"
        " is loopback.",
    )

    @field_validator("stun_server", "turn_server", "hls_dir", mode="before")
    @classmethod
    def _empty_is_none(cls, value: Any) -> Any:
        return None if value == "" else value

    @field_validator("hls_dir")
    @classmethod
    def _is_absolute(cls, path: Path | None) -> Path | None:
        return None if path is None else absolute(path)

    @field_validator("stun_server")
    @classmethod
    def _stun(cls, value: str | None) -> str | None:
        return None if value is None else _ice_url(value, ("stun", "stuns"))[0]

    @field_validator("turn_server")
    @classmethod
    def _turn(cls, value: SecretStr | None) -> SecretStr | None:
        if value is not None:
            _ice_url(value.get_secret_value(), ("turn", "turns"))
        return value

    @model_validator(mode="after")
    def _rtsp_off_loopback_has_a_password(self) -> PreviewSettings:
        if self.rtsp and not _is_loopback(self.rtsp_host) and self.rtsp_password is None:
            raise ValueError("rtsp_password is required unless rtsp_host is a loopback address")
        return self

    def ice_servers(self, *, with_credentials: bool) -> list[IceServer]:
        """List the ICE servers for a viewer's peer connection.

        TURN is left out without credentials.
        """
        servers: list[IceServer] = []
        if self.stun_server is not None:
            servers.append({"urls": [self.stun_server]})
        if self.turn_server is not None:
            url, user, password = _ice_url(self.turn_server.get_secret_value(), ("turn", "turns"))
            if not user:
                servers.append({"urls": [url]})
            elif with_credentials:
                servers.append({"urls": [url], "username": user, "credential": password})
        return servers


def _ice_url(text: str, schemes: tuple[str, ...]) -> tuple[str, str, str]:
    """Return the URL as browsers accept it (`turn:host:port?…`), the user and the password."""
    scheme, _, rest = text.partition(":")
    if scheme not in schemes:
        raise ValueError(f"must begin with {' or '.join(f'{s}:' for s in schemes)}")
    parts = urlsplit(f"//{rest.removeprefix('//')}")
    try:
        port = parts.port
    except ValueError:
        port = -1
    if not parts.hostname or port == -1 or parts.path:
        raise ValueError(f"write it like {schemes[0]}:host:3478")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    url = f"{scheme}:{host}" + (f":{port}" if port else "")
    url += f"?{parts.query}" if parts.query else ""
    return url, unquote(parts.username or ""), unquote(parts.password or "")


def _is_loopback(host: str) -> bool:
    if host.lower() == "localhost":
        return True
    try:
        return ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False
