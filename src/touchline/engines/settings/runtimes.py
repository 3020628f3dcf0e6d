"""The kinds of runtime that can be configured."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

_MEMORY = re.compile(r"([0-9]{1,15})([bkmg]?)", re.IGNORECASE)
_UNITS = {"": 1, "b": 1, "k": 1 << 10, "m": 1 << 20, "g": 1 << 30}
LEAST_MEMORY_BYTES = 32 << 20
MOST_MEMORY_BYTES = 128 << 30


def memory_bytes(text: str) -> int | None:
    """How many bytes `512m` or `2G` are; None for `0` or nothing. Raises ValueError."""
    if not text.strip():
        return None
    match = _MEMORY.fullmatch(text.strip())
    if match is None:
        raise ValueError("write a memory limit as a number with b, k, m or g: 512m, 2g")
    size_bytes = int(match[1]) * _UNITS[match[2].lower()]
    if size_bytes and not LEAST_MEMORY_BYTES <= size_bytes <= MOST_MEMORY_BYTES:
        raise ValueError("a memory limit must be between 32m and 128g")
    return size_bytes or None


class _Runtime(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ProcessRuntimeSettings(_Runtime):
    """Engines as processes on this machine."""

    kind: Literal["process"]
    command: list[str] = Field(
        default_factory=list,
        description="Program and first arguments of an engine; its ports and parameters follow.",
    )
    programs: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Programs by the image name that asks for them; the rest is `command`'s.",
    )
    directory: Path | None = Field(
        None, description="Records and logs of engines; unset: `engines` in the data directory."
    )


class DockerRuntimeSettings(_Runtime):
    """Engines as containers of a Docker daemon."""

    kind: Literal["docker"]
    host: str | None = Field(
        None,
        description="`unix:///…`, `tcp://…`; unset: DOCKER_HOST or the usual socket.",
        pattern=r"^(unix|tcp|http|https)://",
    )
    network: str | None = Field(None, description="The network that engines join.")
    cap_drop: list[str] = Field(["ALL"], description="Capabilities that engines lose.")
    cap_add: list[str] = Field(default_factory=list, description="Capabilities they get back.")
    no_new_privileges: bool = Field(True, description="No program may gain rights.")
    pids_limit: int = Field(512, ge=0, description="Processes in an engine; 0: no limit.")
    log_max_bytes: int = Field(10 << 20, ge=1 << 10, description="The largest log of an engine.")
    call_timeout_s: float = Field(
        10.0, gt=0, le=120, description="The longest that a short call to the daemon may take."
    )
    pull_timeout_s: float = Field(
        600.0, gt=0, description="The longest that pulling a missing image may take."
    )
    max_parallel_starts: int = Field(16, ge=1, le=64, description="Starts under way at a time.")


class AutoRuntimeSettings(_Runtime):
    """Docker where its socket answers at the start, else processes."""

    kind: Literal["auto"]
    docker: DockerRuntimeSettings = Field(
        default_factory=lambda: DockerRuntimeSettings(kind="docker"), description="If it is that."
    )
    process: ProcessRuntimeSettings = Field(
        default_factory=lambda: ProcessRuntimeSettings(kind="process"), description="Or that."
    )

    @field_validator("docker", mode="before")
    @classmethod
    def _docker(cls, value: object) -> object:
        return {"kind": "docker", **value} if isinstance(value, dict) else value

    @field_validator("process", mode="before")
    @classmethod
    def _process(cls, value: object) -> object:
        return {"kind": "process", **value} if isinstance(value, dict) else value


RuntimeSettings = Annotated[
    AutoRuntimeSettings | ProcessRuntimeSettings | DockerRuntimeSettings,
    Field(discriminator="kind"),
]
