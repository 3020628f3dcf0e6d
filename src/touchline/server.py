"""The running server: its port, its signals, and its shutdown.

A first signal stops the HTTP server and then closes the system, which finalises recordings. A
second one exits immediately: recordings then continue in their workers, and the next server adopts
them.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import signal
import socket
import sys
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import TYPE_CHECKING, Any, cast

import anyio
import anyio.abc
import uvicorn
from anyio import TASK_STATUS_IGNORED

from touchline import __version__
from touchline.core.descriptors import connections_within, raise_limit
from touchline.listen import Acceptor, bind
from touchline.system import System, open_system
from touchline.web import BoundedProtocol, Door, ImpatientProtocol, create_app, refusal_bytes

if TYPE_CHECKING:
    from touchline.settings import Settings

log = logging.getLogger(__name__)

LARGEST_FRAME_BYTES = 1 << 20
"""Maximum WebSocket message; a longer one closes its connection.

It exceeds the limit of 64 KiB for commands, so that those between are answered with an error.
"""

YOUNG_OBJECTS = 20_000

SWITCH_S = 0.001
"""Time after which a busy thread must yield to others; Python's default is five times as long.

Clips and verification compute in threads, and each would add this time to every answer.
"""

DRAIN_S = 3
"""Time limit for pending responses at shutdown; longer downloads are aborted."""


async def serve(
    settings: Settings, *, task_status: anyio.abc.TaskStatus[str] = TASK_STATUS_IGNORED
) -> None:
    """Serve until a signal or a cancellation by the caller; recordings are then finalised.

    Reports its URL once it answers. Raises TouchlineError if it cannot start.
    """
    descriptors = raise_limit()
    sys.setswitchinterval(SWITCH_S)
    sockets = bind(settings.host, settings.port)
    try:
        stop = _Stop()
        async with anyio.create_task_group() as tasks:
            await tasks.start(stop.watch_signals)
            async with open_system(settings) as system:
                stop.system = system
                url = _url(settings.host, sockets[0])
                app = create_app(system)
                door = _door(settings, descriptors)
                door.count_into(system.metrics)
                _settle_memory()
                stop.server = _Server(
                    uvicorn.Config(
                        app,
                        http=cast("Any", partial(BoundedProtocol, door=door)),
                        ws=ImpatientProtocol,
                        ws_max_size=LARGEST_FRAME_BYTES,
                        # Messages are small, the network local; it would cost 300 kB per socket.
                        ws_per_message_deflate=False,
                        lifespan="off",
                        log_config=None,  # touchline configures logging
                        server_header=False,
                        forwarded_allow_ips=list(settings.http.trusted_proxies),
                        timeout_graceful_shutdown=DRAIN_S,
                    ),
                    door=door,
                    on_started=lambda: _report_started(url, system, task_status),
                )
                stop.server.should_exit = stop.asked
                keep = system.supervisor.keep
                async with door.open(keep), app.state.sessions.open(keep), app.state.hub.open():
                    await stop.server.serve(sockets)
                log.info("Shutting down: finishing recordings first")
            tasks.cancel_scope.cancel()
        log.info("Closed")
    finally:
        for each in sockets:
            each.close()


class _Server(uvicorn.Server):
    """uvicorn without its signal handlers, with a callback once it serves."""

    def __init__(self, config: uvicorn.Config, *, door: Door, on_started: Any) -> None:
        super().__init__(config)
        self._door = door
        self._on_started = on_started

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """Handle no signals: uvicorn would raise them again before the system is closed."""
        yield

    async def startup(self, sockets: list[socket.socket] | None = None) -> None:
        """Accept connections on the given sockets if the door admits them."""
        await super().startup([])
        loop = asyncio.get_running_loop()

        def make(_: str) -> asyncio.Protocol:
            protocol: Any = self.config.http_protocol_class
            made: asyncio.Protocol = protocol(
                self.config, self.server_state, self.lifespan.state, loop
            )
            return made

        for each in sockets or ():
            acceptor = Acceptor(
                each, refuse=self._refusal, make=make, relieve=self._door.shed_connections
            )
            acceptor.start()
            self.servers.append(cast("asyncio.base_events.Server", acceptor))
        self._on_started()

    def _refusal(self, address: str, own_address: str) -> bytes | None:
        refusal = self._door.refusal_for(address, own_address)
        return None if refusal is None else refusal_bytes(refusal)


class _Stop:
    """Shutdown requested by signals."""

    def __init__(self) -> None:
        self.asked = False
        self.server: uvicorn.Server | None = None
        self.system: System | None = None

    async def watch_signals(
        self, *, task_status: anyio.abc.TaskStatus[None] = TASK_STATUS_IGNORED
    ) -> None:
        """Stop at the first signal, exit at the second."""
        if threading.current_thread() is not threading.main_thread():
            # only the main thread receives signals; elsewhere the caller cancels
            task_status.started()
            return
        wanted = [signal.SIGINT, signal.SIGTERM]
        if signal.getsignal(signal.SIGHUP) is not signal.SIG_IGN:  # ignored under nohup
            wanted.append(signal.SIGHUP)
        with anyio.open_signal_receiver(*wanted) as signals:
            task_status.started()
            async for number in signals:
                if self.asked:
                    self._leave(number)
                self.asked = True
                log.info(
                    "%s: stopping. Send it again to exit immediately", signal.Signals(number).name
                )
                if self.server is not None:
                    self.server.should_exit = True

    def _leave(self, number: int) -> None:
        left = "no recording was running"
        if self.system is not None:
            status = self.system.capture.recorder.status()
            if status.get("recording"):
                left = (
                    f"match {status.get('match_id')} is still being recorded by its camera"
                    " workers; start touchline again with the same data directory to adopt it"
                )
        sys.stderr.write(f"touchline exits immediately: {left}\n")
        sys.stderr.flush()
        # Skip all cleanup on purpose: it is what takes too long. Workers outlive this process.
        os._exit(128 + number)


def _door(settings: Settings, descriptors: int) -> Door:
    """Create the door, with at most as many places as there are descriptors."""
    wanted = settings.http.max_connections
    most = connections_within(descriptors, wanted)
    if most < wanted:
        log.warning(
            "only %d open files are allowed, so the limit is %d connections instead of"
            " %d; raise it with LimitNOFILE= in the unit or ulimit -n",
            descriptors,
            most,
            wanted,
        )
    return Door(
        most=most,
        most_an_address=settings.http.max_connections_per_address,
        trusted=settings.http.trusted_proxies,
    )


def _report_started(url: str, system: System, task_status: anyio.abc.TaskStatus[str]) -> None:
    log.info("touchline %s serves %s, data in %s", __version__, url, system.settings.data_dir)
    sys.stdout.write(f"ready {url}\n")  # for scripts, which may have requested port 0
    sys.stdout.flush()
    task_status.started(url)


def _settle_memory() -> None:
    """Exclude existing objects from garbage collection, which would block for 50 ms at a time.

    No collection runs before that: it would take a tenth of the startup time and free less than a
    megabyte. A larger first generation is collected less often, because responses leave no cycles.
    """
    gc.freeze()
    gc.enable()
    gc.set_threshold(YOUNG_OBJECTS, 20, 20)


def _url(host: str, bound: socket.socket) -> str:
    port = bound.getsockname()[1]
    bare = host.strip("[]")
    return f"http://[{bare}]:{port}" if ":" in bare else f"http://{bare}:{port}"
