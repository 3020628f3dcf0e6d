"""Process runtime kind."""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from contextlib import AbstractAsyncContextManager

from touchline.engines.model.readiness import RuntimeReadiness, State
from touchline.engines.model.runtime import Runtime
from touchline.engines.runtimes.kind import OpeningContext, RuntimeKind
from touchline.engines.runtimes.process.settings import ProcessRuntimeSettings


def _open(
    settings: ProcessRuntimeSettings, context: OpeningContext
) -> AbstractAsyncContextManager[Runtime]:
    from touchline.engines.runtimes.process.runtime import open_process_runtime

    return open_process_runtime(
        settings,
        directory=settings.directory or context.data_dir / "engines",
        label=context.label,
        bind_address=context.bind_address,
    )


def _readiness(
    settings: ProcessRuntimeSettings, _environ: Mapping[str, str], *, needed: bool
) -> RuntimeReadiness:
    programs = [settings.command, *settings.programs.values()]
    given = [command[0] for command in programs if command]
    lacking: State = "missing" if needed else "info"
    if not given:
        return RuntimeReadiness(
            "engines",
            lacking,
            "no engine program is configured",
            "set engines.runtime.command, or use Docker",
        )
    for program in given:
        if shutil.which(program) is None:
            return RuntimeReadiness(
                "engines", lacking, f"{program} cannot be run", "set engines.runtime.command"
            )
    return RuntimeReadiness("engines", "ok", f"engines run as {', '.join(sorted(set(given)))}")


PROCESS = RuntimeKind(
    settings=ProcessRuntimeSettings,
    can_use_vpn=False,
    binds_on_this_machine=True,
    open=_open,
    readiness=_readiness,
    network=lambda _: None,
)
