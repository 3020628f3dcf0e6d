"""Settings of jobs: the archive, and its upload to any S3-compatible storage."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any, Literal
from urllib.parse import urlsplit

from pydantic import (
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    StringConstraints,
    field_validator,
    model_validator,
)

Archive = Annotated[str, StringConstraints(pattern=r"^(cam(0|[1-9]\d?)|panorama|follow|reel)$")]

MIB = 1 << 20


class ArchiveSettings(BaseModel):
    """Settings of the archive, a single file made of a camera's segments."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    profile: Literal["copy", "compact"] = Field(
        "copy",
        description="`copy`: join the segments without encoding. `compact`: encode again, much"
        " smaller.",
    )
    height: int = Field(
        1080,
        ge=180,
        le=4320,
        multiple_of=2,
        description="Maximum picture height of the compact profile.",
    )
    crf: int = Field(
        26,
        ge=10,
        le=40,
        description="Quality (CRF) of the compact profile: 18 is fine, 30 is coarse.",
    )
    preset: Literal["ultrafast", "veryfast", "medium", "slow"] = Field(
        "veryfast",
        description="x264 preset of the compact profile; slower presets make smaller files.",
    )

    def to_spec(self) -> dict[str, Any]:
        """Return the settings in the form that the studio reads."""
        return self.model_dump()


class UploadSettings(BaseModel):
    """Settings of the S3-compatible storage for archives."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    endpoint_url: str | None = Field(
        None,
        description="Endpoint of the storage: https://…, or http:// with `allow_http`. Default:"
        " Amazon S3.",
    )
    allow_http: bool = Field(False, description="Allow an endpoint without TLS.")
    bucket: str | None = Field(
        None,
        pattern=r"^[a-z0-9][a-z0-9.-]{1,61}[a-z0-9]$",
        description="Bucket to upload to. Nothing is uploaded without one.",
    )
    prefix: str = Field(
        "{match_id}/",
        max_length=200,
        description="Key prefix of uploaded files; {match_id} is replaced by the match id.",
    )
    region: str = Field("auto", pattern=r"^[a-z0-9-]{1,32}$", description="Region of the storage.")
    access_key_id: str | None = Field(None, min_length=1, description="Access key id.")
    secret_access_key: SecretStr | None = Field(None, description="Secret access key.")
    part_bytes: int = Field(
        16 * MIB, ge=5 * MIB, le=512 * MIB, description="Part size of multipart uploads."
    )
    files: tuple[Archive, ...] | None = Field(
        None,
        description="Archives to upload if they exist: camN, panorama, follow, reel. Default:"
        " every camera, the panorama and the follow cut.",
    )
    max_mbit_s: float | None = Field(
        None, gt=0, le=100_000, description="Bandwidth limit of uploads in Mbit/s."
    )

    @field_validator("endpoint_url")
    @classmethod
    def _url(cls, url: str | None) -> str | None:
        if url is None:
            return None
        parts = urlsplit(url)
        if parts.scheme not in {"http", "https"} or not parts.hostname or parts.username:
            raise ValueError("must look like https://host[:port], without a user")
        return url.rstrip("/")

    @field_validator("prefix")
    @classmethod
    def _known_fields(cls, prefix: str) -> str:
        if "{" in prefix.replace("{match_id}", "") or "}" in prefix.replace("{match_id}", ""):
            raise ValueError("may contain no placeholder other than {match_id}")
        return prefix

    @model_validator(mode="after")
    def _complete(self) -> UploadSettings:
        if self.endpoint_url and self.endpoint_url.startswith("http:") and not self.allow_http:
            raise ValueError("endpoint_url is not encrypted; set allow_http to allow that")
        if self.bucket and not (self.access_key_id and self.secret_access_key):
            raise ValueError("a bucket needs access_key_id and secret_access_key")
        return self

    def to_spec(self, match_id: str, cameras: Sequence[str]) -> dict[str, Any]:
        """Describe the upload of a match filmed by `cameras` to the studio, secrets included."""
        secret = self.secret_access_key
        names = (*cameras, "panorama", "follow") if self.files is None else self.files
        return {
            "endpoint_url": self.endpoint_url,
            "bucket": self.bucket,
            "prefix": self.prefix.replace("{match_id}", match_id),
            "region": self.region,
            "access_key_id": self.access_key_id,
            "secret_access_key": None if secret is None else secret.get_secret_value(),
            "part_bytes": self.part_bytes,
            "files": [f"{name}{'.mp4' if name == 'reel' else '_archive.mp4'}" for name in names],
            "max_mbit_s": self.max_mbit_s,
        }
