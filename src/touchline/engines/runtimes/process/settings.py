"""Settings of the process runtime."""

from __future__ import annotations

from pathlib import Path
from typing import Literal

from pydantic import Field

from touchline.engines.runtimes.kind import BaseRuntimeSettings


class ProcessRuntimeSettings(BaseRuntimeSettings):
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
