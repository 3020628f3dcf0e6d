"""A runtime of each kind in a setting in which the same things can be done to it."""

from __future__ import annotations

import os
import signal
import socket
import sys
from collections.abc import AsyncIterator, Iterator
from contextlib import (
    AbstractAsyncContextManager,
    AbstractContextManager,
    asynccontextmanager,
    contextmanager,
)
from pathlib import Path
from typing import Any, Protocol

import anyio

from support.docker import ENGINE, PLAIN, Docker, docker_rig
from support.fakeruntime import ENDS_AT_ONCE, MISSING_IMAGE, FakeRuntime, World
from touchline.engines.model.model import EngineSpec, Instance
from touchline.engines.model.runtime import Runtime
from touchline.engines.runtimes.process.runtime import ProcessRuntime, open_process_runtime
from touchline.engines.runtimes.process.settings import ProcessRuntimeSettings

LABEL = ("touchline.test", "conformance")


class Rig(Protocol):
    """What the suite needs of a kind."""

    runtime: Runtime
    label: tuple[str, str]

    def second(
        self, *, label: tuple[str, str] | None = None
    ) -> AbstractAsyncContextManager[Runtime]:
        """Another runtime object in the same place, as after the server's restart.

        With another label it is another server's, which manages its own instances.
        """

    def occupied_port(self) -> AbstractContextManager[int]:
        """A port of the host that is another program's for so long."""

    def spec(self, name: str, **changes: Any) -> EngineSpec:
        """Something that runs until it is stopped."""

    def missing(self) -> EngineSpec:
        """Something whose image is nowhere."""

    def cannot_run(self) -> EngineSpec:
        """Something whose image is there, and that cannot run for all that."""

    async def kill(self, instance: Instance) -> None:
        """Make it end, as a crash would."""


class FakeRig:
    def __init__(self) -> None:
        self.label = LABEL
        self._world = World()
        self._fake = FakeRuntime(self._world, label=LABEL)
        self.runtime: Runtime = self._fake

    @asynccontextmanager
    async def second(self, *, label: tuple[str, str] | None = None) -> AsyncIterator[Runtime]:
        yield FakeRuntime(self._world, label=label or LABEL)

    @contextmanager
    def occupied_port(self) -> Iterator[int]:
        self._world.taken_ports.add(19000)
        yield 19000
        self._world.taken_ports.remove(19000)

    def spec(self, name: str, **changes: Any) -> EngineSpec:
        return EngineSpec(**{"name": name, "image": "any", **changes})

    def missing(self) -> EngineSpec:
        return self.spec("missing", image=MISSING_IMAGE)

    def cannot_run(self) -> EngineSpec:
        return self.spec("short", image=ENDS_AT_ONCE)

    async def kill(self, instance: Instance) -> None:
        self._fake.kill(instance.id)


class ProcessRig:
    def __init__(self, runtime: ProcessRuntime, directory: Path) -> None:
        self.label = LABEL
        self.runtime: Runtime = runtime
        self._directory = directory

    def second(
        self, *, label: tuple[str, str] | None = None
    ) -> AbstractAsyncContextManager[Runtime]:
        return process_runtime(self._directory, label=label or LABEL)

    def occupied_port(self) -> AbstractContextManager[int]:
        return listening()

    def spec(self, name: str, **changes: Any) -> EngineSpec:
        return EngineSpec(**{"name": name, "image": "sleeps", "command": ("600",), **changes})

    def missing(self) -> EngineSpec:
        return self.spec("missing", image="missing")

    def cannot_run(self) -> EngineSpec:
        return self.spec("short", image="ends")

    async def kill(self, instance: Instance) -> None:
        os.kill(pid_of(instance.id), signal.SIGKILL)


class DockerRigOfSuite:
    def __init__(self, rig: Any) -> None:
        self._rig = rig
        self.label = rig.runtime.label
        self.runtime: Runtime = rig.runtime

    def second(
        self, *, label: tuple[str, str] | None = None
    ) -> AbstractAsyncContextManager[Runtime]:
        return self._rig.second(label=label)  # type: ignore[no-any-return]

    def occupied_port(self) -> AbstractContextManager[int]:
        return listening()

    def spec(self, name: str, **changes: Any) -> EngineSpec:
        return self._rig.spec(name, **changes)  # type: ignore[no-any-return]

    def missing(self) -> EngineSpec:
        return self.spec("missing", image="touchline.invalid/none:1")

    def cannot_run(self) -> EngineSpec:
        # Not a program that ends: a daemon may still call it running when it is asked.
        return self.spec("short", image=PLAIN, command=("/no/such/program",))

    async def kill(self, instance: Instance) -> None:
        await anyio.to_thread.run_sync(self._rig.daemon.run, "kill", instance.id)


def pid_of(instance_id: str) -> int:
    """The process that carries this id in its environment."""
    marker = f"TOUCHLINE_INSTANCE={instance_id}".encode()
    for entry in Path("/proc").glob("[0-9]*"):
        try:
            if marker in (entry / "environ").read_bytes().split(b"\0"):
                return int(entry.name)
        except OSError:
            continue
    raise AssertionError(f"no process carries {instance_id}")


def process_settings() -> ProcessRuntimeSettings:
    tiny = str(Path(__file__).parent / "tinyengine.py")
    return ProcessRuntimeSettings(
        kind="process",
        programs={
            "sleeps": ["/bin/sleep"],
            "missing": ["/no/such/program"],
            "ends": ["/bin/ls", "/no/such/file"],
            "engine": [sys.executable, "-m", "touchline.sim.engine"],
            "tiny": [sys.executable, "-I", "-S", tiny],
            "shell": ["/bin/sh", "-c"],
        },
    )


@contextmanager
def listening() -> Iterator[int]:
    """A port of this machine on which a program listens."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        yield int(server.getsockname()[1])


@asynccontextmanager
async def process_runtime(
    directory: Path, *, label: tuple[str, str] = LABEL
) -> AsyncIterator[ProcessRuntime]:
    async with open_process_runtime(
        process_settings(), directory=directory, label=label, bind_address="127.0.0.1"
    ) as runtime:
        yield runtime


@asynccontextmanager
async def opened_rig(kind: str, directory: Path, docker: Docker | None) -> AsyncIterator[Rig]:
    """A rig of this kind; at the end nothing of it is left."""
    if kind == "fake":
        yield FakeRig()
    elif kind == "process":
        async with process_runtime(directory) as runtime:
            try:
                yield ProcessRig(runtime, directory)
            finally:
                for instance in await runtime.list():
                    await runtime.stop(instance.id, grace_s=0)
    else:
        assert docker is not None
        async with docker_rig(docker) as rig:
            yield DockerRigOfSuite(rig)


__all__ = ["ENGINE", "Rig", "opened_rig", "pid_of", "process_runtime"]
