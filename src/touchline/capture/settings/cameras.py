"""Camera kinds, each defined by a settings class.

A new kind requires one class and its name in the union `Source`.
"""

from __future__ import annotations

from fractions import Fraction
from pathlib import Path
from typing import Annotated, Any, Literal
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    ModelWrapValidatorHandler,
    SecretStr,
    StringConstraints,
    ValidationError,
    field_validator,
    model_validator,
)
from pydantic_core import InitErrorDetails

Quality = Literal["fast", "balanced", "high"]

MIN_SIDE = 16
"""Minimum width and height in pixels of a cropped picture."""

_NTSC_BASE = 1001


def _exact_rate(rate: Fraction) -> Fraction:
    """Return 30000/1001 and 60000/1001 for 29.97 and 59.94, the rates that cameras mean."""
    if rate.denominator in (1, _NTSC_BASE):
        return rate
    broadcast = Fraction(round(rate) * 1000, _NTSC_BASE)
    if abs(rate - broadcast) < Fraction(1, 100):
        return broadcast
    return rate.limit_denominator(_NTSC_BASE)


PrintableName = Annotated[
    str,
    StringConstraints(
        strip_whitespace=True, min_length=1, max_length=64, pattern=r"^[^\x00-\x1f\x7f]+$"
    ),
]
Width = Annotated[
    int, Field(ge=160, le=7680, multiple_of=2, description="Picture width in pixels.")
]
Height = Annotated[
    int, Field(ge=90, le=4320, multiple_of=2, description="Picture height in pixels.")
]
Rate = Annotated[
    Fraction,
    Field(
        ge=1, le=240, description="Frames per second: a number or a fraction such as 30000/1001."
    ),
]


TrackName = Annotated[
    str, StringConstraints(min_length=1, max_length=128, pattern=r"^[\x21-\x7e]+$")
]
TrackNumber = Annotated[int, Field(ge=0, le=31)]


class Crop(BaseModel):
    """Pixels removed from each edge of the picture."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    left: int = Field(0, ge=0, le=7680, description="Pixels removed on the left.")
    right: int = Field(0, ge=0, le=7680, description="Pixels removed on the right.")
    top: int = Field(0, ge=0, le=4320, description="Pixels removed at the top.")
    bottom: int = Field(0, ge=0, le=4320, description="Pixels removed at the bottom.")

    def __bool__(self) -> bool:
        """Return whether anything is removed."""
        return any((self.left, self.right, self.top, self.bottom))

    def even(self) -> Crop:
        """Round the crop down to even pixels, because chroma is subsampled in pairs."""
        return Crop(
            left=self.left & ~1, right=self.right & ~1, top=self.top & ~1, bottom=self.bottom & ~1
        )

    def within(self, width: int, height: int) -> Crop:
        """Limit the crop to a picture of this size: even, with at least `MIN_SIDE` pixels left."""
        left, right = _clamp(self.left, self.right, width)
        top, bottom = _clamp(self.top, self.bottom, height)
        return Crop(left=left, right=right, top=top, bottom=bottom)


def _clamp(near: int, far: int, side: int) -> tuple[int, int]:
    near = min(near, side - MIN_SIDE) & ~1
    return near, min(far, side - MIN_SIDE - near) & ~1


class BaseSource(BaseModel):
    """Settings shared by all camera kinds."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    name: PrintableName | None = Field(
        None, description="Display name of the camera. Default: cam0, cam1, …"
    )
    quality: Quality | None = Field(
        None, description="Encoder preset of this camera. Default: `capture.quality`."
    )
    bitrate_kbps: int | None = Field(
        None,
        ge=100,
        le=200_000,
        description="Encoder bitrate in kbit/s. Default: chosen by the preset.",
    )
    crop: Crop = Field(
        default_factory=Crop,
        description="Pixels removed per edge. Cropping a camera that delivers H.264 requires"
        " transcoding.",
    )

    def label(self, camera_id: int) -> str:
        """Return the display name."""
        return self.name or f"cam{camera_id}"


class TestSource(BaseSource):
    """Simulated camera: a pitch, a running clock and a frame counter that can be read back."""

    __test__ = False  # pytest collects classes whose names begin with Test

    kind: Literal["test"]
    width: Width = 1280
    height: Height = 720
    fps: Rate = Fraction(30)
    scene: Literal["pattern", "left", "right"] = Field(
        "pattern",
        description="`pattern`: a pitch seen from above. `left`, `right`: the two cameras of one"
        " mast; they film the same match, overlap and can be stitched.",
    )

    _exact_fps = field_validator("fps")(_exact_rate)


class FileSource(BaseSource):
    """Video file played in real time. H.264 is recorded without transcoding."""

    kind: Literal["file"]
    path: Path = Field(description="Absolute path of the video file.")
    loop: bool = Field(True, description="Restart from the beginning when the file ends.")

    @field_validator("path")
    @classmethod
    def _absolute(cls, path: Path) -> Path:
        return absolute(path)


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
            data = _without_credentials(data)
        try:
            return handler(data)
        except ValidationError as error:
            raise _redacted(error) from None

    @field_validator("url")
    @classmethod
    def _rtsp(cls, url: str) -> str:
        parts = urlsplit(url)
        if parts.scheme not in {"rtsp", "rtsps"} or not parts.hostname:
            msg = "must look like rtsp://host[:port]/path or rtsps://host[:port]/path"
            raise ValueError(msg)
        if any(char.isspace() or not char.isprintable() for char in url):
            msg = "must not contain spaces or control characters"
            raise ValueError(msg)
        _ = parts.port  # raises ValueError when it is not a port
        return url

    @field_validator("user", "password")
    @classmethod
    def _one_line(cls, value: str | SecretStr | None) -> str | SecretStr | None:
        text = value.get_secret_value() if isinstance(value, SecretStr) else value
        if text is not None and not (text and text.isprintable()):
            msg = "must not be empty or contain control characters"
            raise ValueError(msg)
        return value

    @property
    def safe_url(self) -> str:
        """URL without user, password and query, which may carry a token."""
        return _safe(self.url)

    def __repr_args__(self) -> list[tuple[str | None, Any]]:
        return [*super().__repr_args__(), ("url", self.safe_url)]


class V4l2Source(BaseSource):
    """Camera on a video device of this machine (USB, capture card)."""

    kind: Literal["v4l2"]
    device: Annotated[str, StringConstraints(pattern=r"^/dev/[A-Za-z0-9._:/+-]+$")] = Field(
        description="Video device, for example /dev/video0 or a name under /dev/v4l/by-id."
    )
    format: Literal["raw", "mjpeg", "h264"] = Field(
        "raw",
        description="Format requested from the device. H.264 is recorded without transcoding.",
    )
    width: Width = 1920
    height: Height = 1080
    fps: Rate = Fraction(30)

    _exact_fps = field_validator("fps")(_exact_rate)


class LibcameraSource(BaseSource):
    """Camera that is controlled by libcamera (Raspberry Pi and others)."""

    kind: Literal["libcamera"]
    camera: PrintableName | None = Field(
        None, description="Name of the camera in libcamera. Default: the first camera."
    )
    width: Width = 1920
    height: Height = 1080
    fps: Rate = Fraction(30)

    _exact_fps = field_validator("fps")(_exact_rate)


class ArgusSource(BaseSource):
    """CSI camera of an NVIDIA Jetson. Its frame rate depends on the light, so it has no `fps`."""

    kind: Literal["argus"]
    sensor_id: int | None = Field(
        None, ge=0, le=63, description="Sensor number. Default: the number of the camera."
    )
    sensor_mode: int = Field(
        0, ge=-1, le=255, description="Sensor mode; -1 lets the driver choose."
    )
    width: Width = 3840
    height: Height = 2160
    exposure_compensation: float = Field(
        0.0,
        ge=-2.0,
        le=2.0,
        description="Exposure compensation in stops; positive values are brighter.",
    )


Source = Annotated[
    TestSource | FileSource | RtspSource | V4l2Source | LibcameraSource | ArgusSource,
    Field(discriminator="kind"),
]


def absolute(path: Path) -> Path:
    """Expand `~` in a path. Raises ValueError for a relative path."""
    path = path.expanduser()
    if not path.is_absolute() or "\0" in str(path):
        msg = "must be an absolute path"
        raise ValueError(msg)
    return path


def _split(url: str) -> SplitResult | None:
    try:
        return urlsplit(url)
    except ValueError:
        return None


def _without_credentials(data: dict[str, Any]) -> dict[str, Any]:
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


def _redacted(error: ValidationError) -> ValidationError:
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
