"""Settings of the Docker runtime."""

from __future__ import annotations

from typing import Literal

from pydantic import Field

from touchline.engines.runtimes.kind import BaseRuntimeSettings


class DockerRuntimeSettings(BaseRuntimeSettings):
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
