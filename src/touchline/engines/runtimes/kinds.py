"""Runtime kinds.

A new one requires a module that defines its kind, a line here, and its settings in the union
`ChosenRuntimeSettings`.
"""

from __future__ import annotations

from touchline.engines.runtimes.docker.kind import DOCKER
from touchline.engines.runtimes.kind import RuntimeKind
from touchline.engines.runtimes.process.kind import PROCESS
from touchline.engines.settings.runtimes import AutoRuntimeSettings, ChosenRuntimeSettings

KINDS: tuple[RuntimeKind, ...] = (DOCKER, PROCESS)


def kind_of(settings: ChosenRuntimeSettings) -> RuntimeKind:
    """Return the kind of these settings."""
    return next(kind for kind in KINDS if isinstance(settings, kind.settings))


def network_of(settings: AutoRuntimeSettings | ChosenRuntimeSettings) -> str | None:
    """Return the container network that engines join, if any."""
    chosen = settings.docker if isinstance(settings, AutoRuntimeSettings) else settings
    return kind_of(chosen).network(chosen)
