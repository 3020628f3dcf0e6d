"""Runtime kind: engines that only exist in memory. Goes to engines/runtimes/."""

from __future__ import annotations

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Literal

from support.fakeruntime import FakeRuntime
from touchline.engines.model.readiness import RuntimeReadiness
from touchline.engines.model.runtime import Runtime
from touchline.engines.runtimes.kind import BaseRuntimeSettings, OpeningContext, RuntimeKind


class MemoryRuntimeSettings(BaseRuntimeSettings):
    """Settings of the runtime in memory."""

    kind: Literal["memory"]


@asynccontextmanager
async def _open(_: MemoryRuntimeSettings, context: OpeningContext) -> AsyncIterator[Runtime]:
    yield FakeRuntime(label=context.label)


def _readiness(
    _settings: MemoryRuntimeSettings, _environ: Mapping[str, str], *, needed: bool
) -> RuntimeReadiness:
    return RuntimeReadiness("memory", "ok", "wanted" if needed else "not wanted")


MEMORY = RuntimeKind(
    settings=MemoryRuntimeSettings,
    can_use_vpn=False,
    binds_on_this_machine=False,
    open=_open,
    readiness=_readiness,
    network=lambda _: None,
)
