"""A simulated engine or VPN in this process, or a VPN in one of its own, on a free port."""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

from support.engineprocesses import free_port
from touchline.sim.engine import EngineOptions, SimulatedEngine
from touchline.sim.httpserver import serve
from touchline.sim.sessions import PlaybackSessions
from touchline.sim.vpn import Vpn


@asynccontextmanager
async def simulated_engine(**options: object) -> AsyncIterator[tuple[SimulatedEngine, str]]:
    """The engine and the root of its URLs."""
    made = EngineOptions(**options)  # type: ignore[arg-type]
    sessions = PlaybackSessions(time.monotonic, made.bits_per_s, made.reader_timeout_s)
    engine = SimulatedEngine(made, 0, sessions)
    server = await serve(engine.handle, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    try:
        yield engine, f"http://127.0.0.1:{port}"
    finally:
        server.close()


@asynccontextmanager
async def simulated_vpn(vpn: Vpn) -> AsyncIterator[str]:
    """The root of its URLs."""
    server = await serve(vpn.handle, "127.0.0.1", 0)
    try:
        yield f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()


@contextmanager
def vpn_program(*arguments: str) -> Iterator[str]:
    """A simulated VPN in a process of its own, as with these arguments; the root of its URLs."""
    command = [sys.executable, "-m", "touchline.sim.vpn", "--host", "127.0.0.1"]
    with subprocess.Popen(
        [*command, "--port", str(free_port()), *arguments], stdout=subprocess.PIPE, text=True
    ) as program:
        try:
            assert program.stdout is not None
            word, _, url = program.stdout.readline().strip().partition(" ")
            assert word == "ready", "it ended at once"
            yield url
        finally:
            program.terminate()
