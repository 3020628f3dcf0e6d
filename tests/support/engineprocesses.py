"""Engines as processes: what tests start, look for and wait for."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import anyio

from touchline.engines.model.model import EngineSpec, Instance, RuntimeEvent
from touchline.engines.runtimes.process.kernel import procfs
from touchline.engines.runtimes.process.runtime import ProcessRuntime

DEADLINE_S = 20.0


async def stop_all(runtime: ProcessRuntime) -> None:
    for instance in await runtime.list():
        await runtime.stop(instance.id, grace_s=0)


def sleeper(name: str = "one", **changes: Any) -> EngineSpec:
    return EngineSpec(**{"name": name, "image": "sleeps", "command": ("600",), **changes})


def shell(script: str, name: str = "one", **changes: Any) -> EngineSpec:
    return EngineSpec(name=name, image="shell", command=(script,), **changes)


async def start(runtime: ProcessRuntime, spec: EngineSpec) -> Instance:
    return await runtime.start(spec, within_s=DEADLINE_S)


async def until(holds: Callable[[], object]) -> None:
    with anyio.fail_after(DEADLINE_S):
        while not holds():
            await anyio.sleep(0.01)


async def next_of(events: AsyncIterator[RuntimeEvent], kind: str) -> RuntimeEvent:
    with anyio.fail_after(DEADLINE_S):
        async for event in events:
            if event.kind == kind:
                return event
    raise AssertionError(f"the events ended without {kind}")


def is_alive(pid: int) -> bool:
    seen = procfs.stat_of(pid)
    return seen is not None and seen.state not in "ZX"


def with_mark(instance_id: str) -> list[int]:
    """All that an instance has started, itself included."""
    mark = f"TOUCHLINE_INSTANCE={instance_id}".encode()
    return [each.pid for each in procfs.all_stats() if procfs.has_mark(each.pid, [mark])]


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as server:
        return int(server.getsockname()[1])


def runs_in(pid: int, directory: Path) -> bool:
    try:
        return Path(f"/proc/{pid}/cwd").readlink().is_relative_to(directory)
    except OSError:
        return False


def log_of(runtime: ProcessRuntime, instance: Instance) -> bytes:
    return (runtime._host.directory / instance.id / "engine.log").read_bytes()
