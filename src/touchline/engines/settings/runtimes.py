"""Settings of the runtime kinds."""

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
    """Parse a memory limit such as `512m` into bytes; `0` and blank are None. Raises ValueError."""
    if not text.strip():
        return None
    match = _MEMORY.fullmatch(text.strip())
    if match is None:
        raise ValueError("must be a number with an optional unit b, k, m or g, such as 512m or 2g")
    size_bytes = int(match[1]) * _UNITS[match[2].lower()]
    if size_bytes and not LEAST_MEMORY_BYTES <= size_bytes <= MOST_MEMORY_BYTES:
        raise ValueError("must be between 32m and 128g")
    return size_bytes or None


class _Runtime(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)


class ProcessRuntimeSettings(_Runtime):
    """Settings of the process runtime, with engines as processes on this machine."""

    kind: Literal["process"]
    command: list[str] = Field(
        default_factory=list,
        description="Command line of an engine: program and first arguments. Ports and parameters"
        " are appended.",
    )
    programs: dict[str, list[str]] = Field(
        default_factory=dict,
        description="Command lines by image name; other images use `command`.",
    )
    directory: Path | None = Field(
        None,
        description="Directory for records and logs of engines. Default: `engines` in the data"
        " directory.",
    )


class DockerRuntimeSettings(_Runtime):
    """Settings of the Docker runtime, with engines as containers of a daemon."""

    kind: Literal["docker"]
    host: str | None = Field(
        None,
        description="Address of the Docker daemon: `unix:///…` or `tcp://…`. Default:"
        " DOCKER_HOST, else /var/run/docker.sock.",
        pattern=r"^(unix|tcp|http|https)://",
    )
    network: str | None = Field(None, description="Docker network that engines join.")
    cap_drop: list[str] = Field(["ALL"], description="Linux capabilities to drop from engines.")
    cap_add: list[str] = Field(
        default_factory=list, description="Linux capabilities to add after dropping `cap_drop`."
    )
    no_new_privileges: bool = Field(
        True, description="Prevent programs in engines from gaining privileges."
    )
    pids_limit: int = Field(
        512, ge=0, description="Maximum number of processes per engine; 0: no limit."
    )
    log_max_bytes: int = Field(10 << 20, ge=1 << 10, description="Maximum log size per engine.")
    call_timeout_s: float = Field(
        10.0, gt=0, le=120, description="Time limit of short calls to the daemon."
    )
    pull_timeout_s: float = Field(
        600.0, gt=0, description="Time limit for pulling a missing image."
    )
    max_parallel_starts: int = Field(
        16, ge=1, le=64, description="Maximum number of engines starting at the same time."
    )


class AutoRuntimeSettings(_Runtime):
    """Settings of the automatic choice of a runtime.

    It is Docker if its socket answers when the server starts, otherwise processes.
    """

    kind: Literal["auto"]
    docker: DockerRuntimeSettings = Field(
        default_factory=lambda: DockerRuntimeSettings(kind="docker"),
        description="Settings used when Docker is chosen.",
    )
    process: ProcessRuntimeSettings = Field(
        default_factory=lambda: ProcessRuntimeSettings(kind="process"),
        description="Settings used when engines run as processes.",
    )

    @field_validator("docker", mode="before")
    @classmethod
    def _docker(cls, value: object) -> object:
        return {"kind": "docker", **value} if isinstance(value, dict) else value

    @field_validator("process", mode="before")
    @classmethod
    def _process(cls, value: object) -> object:
        return {"kind": "process", **value} if isinstance(value, dict) else value


ChosenRuntimeSettings = ProcessRuntimeSettings | DockerRuntimeSettings

RuntimeSettings = Annotated[
    AutoRuntimeSettings | ChosenRuntimeSettings,
    Field(discriminator="kind"),
]
