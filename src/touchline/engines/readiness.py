"""Engine prerequisites of this machine, for `touchline check`.

Everything here blocks for a moment.
"""

from __future__ import annotations

import errno
from collections.abc import Iterator, Mapping

from touchline.engines.fleet.ports import bind_probe
from touchline.engines.model.readiness import RuntimeReadiness
from touchline.engines.runtimes.auto import AutoRuntimeSettings
from touchline.engines.runtimes.kinds import kind_of
from touchline.engines.settings.tree import EnginesSettings


def engine_readiness(
    settings: EnginesSettings, *, wanted: bool, environ: Mapping[str, str]
) -> Iterator[RuntimeReadiness]:
    """Check what engines need.

    Unless engines are `wanted`, missing prerequisites are only reported.
    """
    runtime = settings.runtime
    if isinstance(runtime, AutoRuntimeSettings):
        needed = wanted and bool(settings.vpn.names)
        found = kind_of(runtime.docker).readiness(runtime.docker, environ, needed=needed)
        yield found
        if found.state != "ok" and not needed:
            yield kind_of(runtime.process).readiness(runtime.process, environ, needed=wanted)
    else:
        yield kind_of(runtime).readiness(runtime, environ, needed=wanted)
    yield _ports(settings)


def _ports(settings: EnginesSettings) -> RuntimeReadiness:
    ports = settings.ports
    numbers = range(ports.host.first, ports.host.last + 1)
    try:
        free = len(numbers) - len(bind_probe(ports.bind_address)(numbers))
    except OSError as error:
        runtime = settings.runtime
        may_be_elsewhere = (
            isinstance(runtime, AutoRuntimeSettings) or not kind_of(runtime).binds_on_this_machine
        )
        if error.errno == errno.EADDRNOTAVAIL and may_be_elsewhere:
            return RuntimeReadiness(
                "engine ports",
                "warn",
                f"{ports.bind_address} is not an address of this machine: only a remote Docker"
                " daemon, or the daemon of this server's container, can publish ports there",
                "set engines.ports.bind_address to an address of the daemon's machine",
            )
        return RuntimeReadiness(
            "engine ports",
            "missing",
            f"{ports.bind_address} cannot be bound: {error.strerror}",
            "set engines.ports.bind_address to an address of this machine",
        )
    wanted = min(settings.scaling.max_replicas, len(numbers))
    enough = free >= wanted
    return RuntimeReadiness(
        "engine ports",
        "ok" if enough else "warn",
        f"{free} of {len(numbers)} ports ({ports.host}) are free",
        None if enough else "set engines.ports.host to an unused range",
    )
