"""The simulated camera as a server, with the state shared by its connections."""

from __future__ import annotations

import signal
import socket
import threading
import time
from collections.abc import Callable
from types import TracebackType
from typing import Self
from urllib.parse import urlsplit

from touchline.sim.rtsp.auth import DigestCheck
from touchline.sim.rtsp.connection import Connection
from touchline.sim.rtsp.description import Track, tracks_of
from touchline.sim.rtsp.ledger import Ledger
from touchline.sim.rtsp.media.encoder import Coding
from touchline.sim.rtsp.media.source import Source, VideoTrack
from touchline.sim.rtsp.misbehaviour import Misbehaviour
from touchline.sim.rtsp.occasion import Occasion


class CannotServe(Exception):
    """The camera cannot work on this machine; the message says why."""


class RtspServer:
    """One camera. Use it as a context manager, or call `start` and `stop`."""

    def __init__(
        self,
        coding: Coding,
        *,
        host: str = "127.0.0.1",
        port: int = 0,
        path: str = "cam",
        name: str = "SIMULATED",
        audio: bool = False,
        credentials: tuple[str, str] | None = None,
        stalled: Callable[[float], bool] = lambda _sending_s: False,
        odd: Misbehaviour | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        """Create the server; `stalled` says whether it is silent so long after the first frame."""
        self.odd = odd or Misbehaviour()
        self.ledger = ledger or Ledger()
        self.occasion = Occasion(on_signal=self.odd.on_signal)
        self.codec = coding.codec
        self._address = (host, port)
        self._path = path
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._connections: list[Connection] = []
        self._clients = 0
        self._describes = 0
        self._hops = 0
        self._refused: dict[str, int] = {}
        self.gate = DigestCheck(*credentials, self.odd, self.ledger) if credentials else None
        try:
            videos = self._videos(name, coding)
        except ValueError as error:
            raise CannotServe(str(error)) from error
        self.tracks: list[Track] = tracks_of(videos, self.odd, audio=audio)
        self.source = Source(videos, self.odd, stalled, self.occasion, self.ledger)
        self.origin_ns = time.monotonic_ns()
        self.port = port
        self._listener: socket.socket | None = None
        self._thread: threading.Thread | None = None

    def _videos(self, name: str, coding: Coding) -> list[VideoTrack]:
        videos = [VideoTrack(0, name, coding)]
        if self.odd.second_track is not None:
            width, height = self.odd.second_track
            second = Coding(
                codec=coding.codec,
                width=width,
                height=height,
                fps=coding.fps,
                bitrate_kbps=coding.bitrate_kbps,
                gop_s=coding.gop_s,
            )
            videos.append(VideoTrack(1, f"{name} 2", second))
        return videos

    @property
    def url(self) -> str:
        """URL of the camera."""
        host = self._address[0]
        host = f"[{host}]" if ":" in host else host
        return f"rtsp://{host}:{self.port}/{self._path}"

    def start(self) -> None:
        """Listen and start counting frames. Raises CannotServe."""
        host, port = self._address
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        listener = socket.socket(family, socket.SOCK_STREAM)
        listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            listener.bind((host, port))
            listener.listen(128)
        except OSError as error:
            listener.close()
            msg = f"cannot listen on {host} port {port}: {error.strerror}"
            raise CannotServe(msg) from error
        self.port = listener.getsockname()[1]
        self._listener = listener
        self.source.start()
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
        self.source.stop()
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
        self.occasion.begin()

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
                connection = Connection(self._clients, peer, self)
                self._connections.append(connection)
            self.ledger.note("connected", client=connection.number)
            connection.start()

    # ------------------------------------------------- what connections ask for

    def forget(self, connection: Connection) -> None:
        """Remove a connection that has ended."""
        with self._lock:
            if connection in self._connections:
                self._connections.remove(connection)

    def serves(self, url: str) -> bool:
        """Return whether a request's URL belongs to the camera."""
        path = url if url.startswith(("/", "*")) else urlsplit(url).path
        wanted = f"/{self._path}"
        return path in {"*", wanted} or path.startswith((f"{wanted}/", f"{wanted}?"))

    def refusal(self, method: str) -> int | None:
        """Return the status with which the method is refused this time, if any."""
        status = self.odd.refused(method)
        if status is None:
            return None
        with self._lock:
            times = self._refused.get(method, 0) + 1
            self._refused[method] = times
        if self.odd.refuse_times is not None and times > self.odd.refuse_times:
            return None
        self.ledger.note("refused", method=method, status=status)
        return status

    def redirection(self, where: str) -> str:
        """Return the URL that DESCRIBE is redirected to."""
        if where == "self":
            return self.url
        if where == "endless":
            with self._lock:
                self._hops += 1
            return f"{self.url}?hop={self._hops}"
        return where

    def alternates(self) -> bool:
        """Return whether this description lists its video tracks in reverse order."""
        with self._lock:
            self._describes += 1
            return self.odd.tracks_alternate and self._describes % 2 == 0

    def players_beside(self, connection: Connection) -> int:
        """Return the number of other playing connections."""
        with self._lock:
            return sum(other.playing for other in self._connections if other is not connection)


def serve(server: RtspServer) -> None:
    """Print `ready rtsp://…`, then serve until SIGTERM or SIGINT. Raises CannotServe."""
    leaving = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: leaving.set())
    signal.signal(signal.SIGUSR1, lambda *_: server.begin())
    server.start()
    print(f"ready {server.url}", flush=True)
    leaving.wait()
    server.stop()
