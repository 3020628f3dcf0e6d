"""Definition of a runtime kind: its settings, and facts needed before it is open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from pydantic import BaseModel, ConfigDict

from touchline.engines.model.readiness import RuntimeReadiness
from touchline.engines.model.runtime import Runtime


class BaseRuntimeSettings(BaseModel):
    """Settings of a runtime of any kind."""

    model_config = ConfigDict(extra="forbid", frozen=True, defer_build=True)

    kind: str
    """Name by which it is chosen; each kind has its own as a Literal."""


@dataclass(frozen=True)
class OpeningContext:
    """Parameters for opening a runtime of any kind.

    `label` marks the engines of this server, `also` names containers that are watched besides, and
    `environ` is where Docker's variables are looked up; None means those of this process.
    """

    data_dir: Path
    label: tuple[str, str]
    bind_address: str
    bind_is_default: bool
    also: Collection[str]
    environ: Mapping[str, str] | None


class ReadinessCheck(Protocol):
    """Check of a runtime's prerequisites."""

    def __call__(
        self, settings: Any, environ: Mapping[str, str], /, *, needed: bool
    ) -> RuntimeReadiness:
        """Return the result of the check.

        `needed` says whether engines are needed. Blocks for a moment.
        """


@dataclass(frozen=True)
class RuntimeKind:
    """Runtime kind. `kinds.KINDS` lists them all.

    `open` returns a context manager that raises Invalid if the runtime cannot work as configured.
    `network` returns the container network that engines join.
    """

    settings: type[BaseRuntimeSettings]
    can_use_vpn: bool
    binds_on_this_machine: bool
    open: Callable[[Any, OpeningContext], AbstractAsyncContextManager[Runtime]]
    readiness: ReadinessCheck
    network: Callable[[Any], str | None]
