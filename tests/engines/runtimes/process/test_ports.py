"""Ports of engines that are processes."""

from __future__ import annotations

import os
import signal
import socket
from pathlib import Path
from typing import Any

import pytest

from support.engineprocesses import free_port, next_of, sleeper, start
from support.runtimes import LABEL, pid_of
from touchline.engines.model.model import EngineSpec, PortMapping
from touchline.engines.model.runtime import PortInUse, StartFailed
from touchline.engines.runtimes.process.runtime import ProcessRuntime, open_process_runtime
from touchline.engines.runtimes.process.settings import ProcessRuntimeSettings

pytestmark = pytest.mark.anyio


async def test_a_port_is_an_instances_before_it_listens_and_until_it_ends(
    runtime: ProcessRuntime,
) -> None:
    ports = (PortMapping(free_port(), None), PortMapping(8000, free_port(), "udp"))
    first = await start(runtime, sleeper("first", ports=ports))
    assert {name: bound[0].host_port for name, bound in first.ports.items()} == {
        "8000/udp": ports[1].host_port
    }
    with pytest.raises(PortInUse, match="belongs to first") as caught:
        await start(runtime, sleeper("second", ports=ports))
    assert caught.value.details["port"] == ports[1].host_port
    async with runtime.watch() as events:
        os.kill(pid_of(first.id), signal.SIGKILL)
        await next_of(events, "died")
    await start(runtime, sleeper("second", ports=ports))


@pytest.mark.parametrize("protocol", ["tcp", "udp"])
async def test_a_port_of_another_program_is_in_use(
    runtime: ProcessRuntime, directory: Path, protocol: Any
) -> None:
    kind = socket.SOCK_DGRAM if protocol == "udp" else socket.SOCK_STREAM
    with socket.socket(socket.AF_INET, kind) as other:
        other.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        other.bind(("0.0.0.0", 0))
        if protocol == "tcp":
            other.listen()
        port = other.getsockname()[1]
        with pytest.raises(PortInUse) as caught:
            await start(runtime, sleeper(ports=(PortMapping(port, port, protocol),)))
        assert caught.value.details["port"] == port
        assert list(directory.iterdir()) == []


async def test_a_port_whose_connections_are_still_closing_is_free(runtime: ProcessRuntime) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:
        port = server.getsockname()[1]
        with socket.create_connection(("127.0.0.1", port)) as client:
            accepted, _ = server.accept()
            accepted.close()  # the one who closes first waits
            assert client.recv(1) == b""
    await start(runtime, sleeper(ports=(PortMapping(port, port),)))


async def test_an_address_that_is_not_this_machines_is_said(directory: Path) -> None:
    settings = ProcessRuntimeSettings(kind="process", command=["/bin/sleep", "600"])
    async with open_process_runtime(
        settings, directory=directory, label=LABEL, bind_address="203.0.113.1"
    ) as runtime:
        with pytest.raises(StartFailed, match=r"203\.0\.113\.1 cannot be used"):
            await start(runtime, EngineSpec("one", "any", ports=(PortMapping(1, 8000),)))
