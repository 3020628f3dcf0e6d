"""A simulated engine or VPN in this process, on a port of its own."""

from __future__ import annotations

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

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
