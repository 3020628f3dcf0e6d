"""A kind of runtime: its settings, and what the half has to know of it before it is open."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from touchline.engines.model.readiness import Readiness
from touchline.engines.model.runtime import Runtime


@dataclass(frozen=True)
class OpeningContext:
    """What a runtime is opened with, whatever its kind.

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
    """Checks what a runtime needs."""

    def __call__(self, settings: Any, environ: Mapping[str, str], /, *, needed: bool) -> Readiness:
        """Return what was found; `needed` says whether engines are. Blocks for a moment."""


@dataclass(frozen=True)
class RuntimeKind:
    """One kind of runtime. `kinds.KINDS` lists them all.

    `open` returns a context manager that raises Invalid where the runtime cannot work as
    configured. `network` returns the container network that engines join.
    """

    settings: type[Any]
    can_use_vpn: bool
    binds_on_this_machine: bool
    open: Callable[[Any, OpeningContext], AbstractAsyncContextManager[Runtime]]
    readiness: ReadinessCheck
    network: Callable[[Any], str | None]
