"""Server of a simulated camera."""

from __future__ import annotations

import signal
import socket
import threading
from types import TracebackType
from typing import Self

from touchline.sim.rtsp.connection import Connection
from touchline.sim.rtsp.servedcamera import ServedCamera


class CannotServe(Exception):
    """The camera cannot work on this machine; the message says why."""


class CameraServer:
    """Serves one camera. Use it as a context manager, or call `start` and `stop`."""

    def __init__(self, camera: ServedCamera) -> None:
        self.camera = camera
        self.ledger = camera.ledger
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: list[Connection] = []
        self._clients = 0
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None

    @property
    def url(self) -> str:
        """URL of the camera."""
        return self.camera.url

    def start(self) -> None:
        """Listen and start counting frames. Raises CannotServe."""
        host, port = self.camera.host, self.camera.port
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            raise CannotServe(f"cannot listen on {host} port {port}: {error.strerror}") from error
        self.camera.serve_at(listener.getsockname()[1])
        self._listener = listener
        self.camera.source.start()
        self._thread = threading.Thread(
            target=self._listen, args=(listener,), name="rtsp server", daemon=True
        )
        self._thread.start()

    def stop(self) -> None:
        """Close every connection and stop all threads."""
        self._stopping.set()
        if self._listener is None or self._thread is None:
            return
        self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        self._thread.join()
        with self._lock:
            connections = list(self._connections)
        for connection in connections:
            connection.close("the camera stops")
        for connection in connections:
            connection.join()
        self.camera.source.stop()
        self.ledger.close()

    def __enter__(self) -> Self:
        self.start()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.stop()

    def begin(self) -> None:
        """Start the timed misbehaviour (`on_signal`)."""
        self.camera.occasion.begin()

    def _listen(self, listener: socket.socket) -> None:
        while not self._stopping.is_set():
            try:
                peer, _ = listener.accept()
            except OSError:
                if self._stopping.is_set():
                    return
                self._stopping.wait(0.1)  # out of descriptors: retry later
                continue
            peer.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            with self._lock:
                self._clients += 1
                connection = Connection(
                    self._clients,
                    peer,
                    self.camera,
                    on_closed=self._forget,
                    players_beside=self._players_beside,
                )
                self._connections.append(connection)
            self.ledger.note("connected", client=connection.number)
            connection.start()

    def _forget(self, connection: Connection) -> None:
        with self._lock:
            if connection in self._connections:
                self._connections.remove(connection)

    def _players_beside(self, connection: Connection) -> int:
        with self._lock:
            return sum(other.playing for other in self._connections if other is not connection)


def serve(server: CameraServer) -> None:
    """Print `ready rtsp://…`, then serve until SIGTERM or SIGINT. Raises CannotServe."""
    leaving = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: leaving.set())
    signal.signal(signal.SIGUSR1, lambda *_: server.begin())
    server.start()
    print(f"ready {server.url}", flush=True)
    leaving.wait()
    server.stop()
