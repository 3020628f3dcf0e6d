"""Network cameras."""

from __future__ import annotations

import json
import socket
import subprocess
import sys
from dataclasses import replace
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from pydantic import (
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

from touchline.capture.encoding.encoding import ASSUMED_FPS
from touchline.capture.sources.source import BaseSource, PipelineContext
from touchline.finding import CheckFinding
from touchline.ipc.wire import PipelineSpec, Rtsp

CONNECT_TIMEOUT_S = 2.0
DESCRIBE_TIMEOUT_S = 15.0

TrackName = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")
]
TrackNumber = Annotated[int, Field(ge=0, le=31)]


class RtspSource(BaseSource):
    """Network camera. H.264 is recorded without transcoding; other codecs are transcoded.

    A user and password inside the URL are moved to their own fields when the settings are read.
    Messages and logs show `safe_url` only.
    """

    kind: Literal["rtsp"]
    url: str = Field(
        repr=False, description="URL of the stream: rtsp://host[:port]/path, or rtsps:// for TLS."
    )
    user: str | None = Field(None, description="User name; may also be part of the URL.")
    password: SecretStr | None = Field(None, description="Password; may also be part of the URL.")
    transport: Literal["tcp", "udp", "auto"] = Field(
        "tcp",
        description="Transport of the packets. `tcp` loses none; `auto` tries UDP first, then TCP.",
    )
    latency_ms: int = Field(
        200,
        ge=0,
        le=10_000,
        description="Size of the reordering buffer: how long a packet may wait for earlier ones.",
    )
    verify_tls: bool = Field(
        True,
        description="Verify the camera's TLS certificate (rtsps only). Turn off for self-signed"
        " certificates.",
    )

    track: TrackName | TrackNumber | None = Field(
        None,
        description="Video track to record: its index, counted from 0, or the end of its control"
        " URL such as trackID=2. Default: the largest picture; H.264 wins among"
        " equals.",
    )

    @model_validator(mode="wrap")
    @classmethod
    def _take_out_credentials(
        cls, data: Any, handler: ModelWrapValidatorHandler[RtspSource]
    ) -> RtspSource:
        """Remove credentials before validation and from every error.

        Errors quote their input.
        """
        if isinstance(data, dict):
            data = _extract_credentials(data)
        try:
            return handler(data)
        except ValidationError as error:
            raise _redact_errors(error) from None

    @field_validator("url")
    @classmethod
    def _rtsp(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"rtsp", "rtsps"} or not parts.hostname:
            raise ValueError("must look like rtsp://host[:port]/path or rtsps://host[:port]/path")
        if any(char.isspace() or not char.isprintable() for char in url):
            raise ValueError("must not contain spaces or control characters")
        _ = parts.port  # raises ValueError when it is not a port
        return url

    @field_validator("user", "password")
    @classmethod
    def _one_line(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if text is not None and not (text and text.isprintable()):
            raise ValueError("must not be empty or contain control characters")
        return value

    @property
    def safe_url(self) -> str:
        """URL without user, password and query, which may carry a token."""
        return _safe(self.url)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return [*super().__repr_args__(), ("url", self.safe_url)]

    def pipeline(self, spec: PipelineSpec, context: PipelineContext) -> PipelineSpec:
        """Complete the specification: H.264 is copied unless it is cropped."""
        crop = self.crop.even()
        return replace(
            spec,
            rtsp=Rtsp(
                url=self.url,
                user=self.user,
                password=_reveal(self.password),
                transport=self.transport,
                latency_ms=self.latency_ms,
                verify_tls=self.verify_tls,
                track=self.track,
            ),
            # What was delivered late waits before the decoder, where it is small.
            encode=context.encoding.chain(ASSUMED_FPS, crop, live=False),
            demux=True,
            force_encode=bool(crop),
            keep_running=not crop,
        )

    def finding(self, camera_id: int, *, required: bool) -> CheckFinding:
        """Log in to the camera and request its description."""
        what, parts = f"camera {camera_id}", urlsplit(self.url)
        host, port = parts.hostname or "", parts.port or (322 if parts.scheme == "rtsps" else 554)
        try:
            socket.create_connection((host, port), CONNECT_TIMEOUT_S).close()
        except OSError as error:
            message = f"{host} port {port} does not answer: {error}"
            if required:
                message += "; no recording starts without it (capture.require_all_cameras)"
            # If a match may run without it, it may be switched on later.
            return CheckFinding(what, "missing" if required else "warn", message, f"ping {host}")
        where, answer = f"{host} port {port}", self._description()
        if answer.get("ok"):
            size = f" {answer['width']}x{answer['height']}" if answer.get("width") else ""
            return CheckFinding(what, "ok", f"{where} offers {answer['codec']}{size}")
        message, refusal = f"{where}: {answer['message']}", answer.get("refusal")
        if refusal == "busy":
            return CheckFinding(what, "warn", message, "disconnect another viewer of the camera")
        if refusal == "credentials":
            mend = f"set capture.cameras.{camera_id}.user and .password to an account of the camera"
            return CheckFinding(what, "missing", message, mend)
        mend = f"set capture.cameras.{camera_id}.url to the address in the camera's manual"
        return CheckFinding(what, "missing", message, mend)

    def _description(self) -> dict[str, Any]:
        """Return the camera's description, read by a child process; its input has the password."""
        asked = {
            "url": self.url,
            "user": self.user,
            "password": _reveal(self.password),
            "verify_tls": self.verify_tls,
            "track": self.track,
        }
        try:
            done = subprocess.run(
                [sys.executable, "-m", "touchline.worker.rtsp"],
                input=json.dumps(asked),
                capture_output=True,
                check=False,
                text=True,
                timeout=DESCRIBE_TIMEOUT_S,
            )
            answer: dict[str, Any] = json.loads(done.stdout)
        except subprocess.TimeoutExpired:
            seconds = f"{DESCRIBE_TIMEOUT_S:g} s"
            return {"ok": False, "message": f"no RTSP description within {seconds}"}
        except (OSError, ValueError) as error:
            return {"ok": False, "message": f"the check failed: {error}"}
        return answer


def _reveal(secret: SecretStr | None) -> str | None:
    return None if secret is None else secret.get_secret_value()


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _extract_credentials(data: dict[str, Any]) -> dict[str, Any]:
    """Return the same fields, with a user and password in the URL moved to separate fields."""
    url = data.get("url")
    parts = _split(url) if isinstance(url, str) else None
    if parts is None or "@" not in parts.netloc:
        return data
    account, host = parts.netloc.rsplit("@", 1)
    user, colon, password = account.partition(":")
    found = {"user": unquote(user), **({"password": unquote(password)} if colon else {})}
    return {**found, **data, "url": urlunsplit(parts._replace(netloc=host))}


def _safe(url: str) -> str:
    parts = _split(url)
    if parts is None:
        return "(not a URL)"
    return urlunsplit((parts.scheme, parts.netloc.rsplit("@", 1)[-1], parts.path, "", ""))


def _redact_errors(error: ValidationError) -> ValidationError:
    """Return the same errors without any value that could contain a password."""
    faults = []
    for fault in error.errors(include_url=False):
        shown = fault["input"]
        if fault["loc"][:1] == ("url",) and isinstance(shown, str):
            shown = _safe(shown)
        elif fault["loc"][:1] not in {
            ("latency_ms",),
            ("transport",),
            ("track",),
            ("crop",),
            ("name",),
        }:
            shown = "(hidden)"
        faults.append(
            InitErrorDetails(
                type=fault["type"], loc=fault["loc"], input=shown, ctx=fault.get("ctx", {})
            )
        )
    return ValidationError.from_exception_data(error.title, faults)
