"""Settings of the automatic choice of a runtime."""

from __future__ import annotations

from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from touchline.engines.runtimes.docker.settings import DockerRuntimeSettings
from touchline.engines.runtimes.process.settings import ProcessRuntimeSettings


class AutoRuntimeSettings(BaseModel):
    """Settings of the automatic choice of a runtime.

    It is Docker if its socket answers when the server starts, otherwise processes.
    """

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

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
