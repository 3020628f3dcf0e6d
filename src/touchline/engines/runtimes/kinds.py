"""Runtime kinds.

A new one requires a module that defines it, and a line here.
"""

from __future__ import annotations

from functools import reduce
from operator import or_
from typing import TYPE_CHECKING, Annotated

from pydantic import Field

from touchline.engines.runtimes.auto import AutoRuntimeSettings
from touchline.engines.runtimes.docker.kind import DOCKER
from touchline.engines.runtimes.kind import BaseRuntimeSettings, RuntimeKind
from touchline.engines.runtimes.process.kind import PROCESS

KINDS: tuple[RuntimeKind, ...] = (
    PROCESS,
    DOCKER,
)

if TYPE_CHECKING:
    ChosenRuntimeSettings = BaseRuntimeSettings
else:
    ChosenRuntimeSettings = reduce(or_, (kind.settings for kind in KINDS))
    """Settings of one of the kinds; pydantic refuses others."""

RuntimeSettings = Annotated[
    AutoRuntimeSettings | ChosenRuntimeSettings,
    Field(discriminator="kind"),
]


def kind_of(settings: ChosenRuntimeSettings) -> RuntimeKind:
    """Return the kind of these settings."""
    return next(kind for kind in KINDS if isinstance(settings, kind.settings))


def network_of(settings: AutoRuntimeSettings | ChosenRuntimeSettings) -> str | None:
    """Return the container network that engines join, if any."""
    chosen = settings.docker if isinstance(settings, AutoRuntimeSettings) else settings
    return kind_of(chosen).network(chosen)
