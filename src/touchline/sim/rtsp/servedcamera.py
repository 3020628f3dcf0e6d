"""The simulated camera as its connections share it."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlsplit

from touchline.sim.rtsp.auth import DigestCheck
from touchline.sim.rtsp.description import SimulatedTrack, tracks_of
from touchline.sim.rtsp.ledger import Ledger
from touchline.sim.rtsp.media.encoder import Coding
from touchline.sim.rtsp.media.source import PictureSource, VideoTrack
from touchline.sim.rtsp.misbehaviour import Misbehaviour
from touchline.sim.rtsp.occasion import Occasion


@dataclass(frozen=True)
class ListenAddress:
    """Address at which the camera is served, and the user and password that it requires.

    Port 0 stands for any free port.
    """

    host: str = "127.0.0.1"
    port: int = 0
    path: str = "cam"
    credentials: tuple[str, str] | None = None


class ServedCamera:
    """A camera's tracks, pictures and misbehaviour, and what it counts over all connections."""

    def __init__(
        self,
        coding: Coding,
        address: ListenAddress,
        *,
        name: str = "SIMULATED",
        audio: bool = False,
        stalled: Callable[[float], bool] = lambda _sending_s: False,
        odd: Misbehaviour | None = None,
        ledger: Ledger | None = None,
    ) -> None:
        """Create the camera.

        `stalled` returns whether the camera is silent at this many seconds after its first frame.
        Raises ValueError if this machine lacks the encoder.
        """
        self.odd = odd or Misbehaviour()
        self.ledger = ledger or Ledger()
        self.occasion = Occasion(on_signal=self.odd.on_signal)
        self.codec = coding.codec
        self.host, self.port = address.host, address.port
        self.gate = (
            DigestCheck(*address.credentials, self.odd, self.ledger)
            if address.credentials
            else None
        )
        videos = self._videos(name, coding)
        self.tracks: list[SimulatedTrack] = tracks_of(videos, self.odd, audio=audio)
        self.source = PictureSource(videos, self.odd, stalled, self.occasion, self.ledger)
        self.origin_ns = time.monotonic_ns()
        self._path = address.path
        self._lock = threading.Lock()
        self._describes = 0
        self._hops = 0
        self._refused: dict[str, int] = {}

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

    def serve_at(self, port: int) -> None:
        """Name this port, at which a server listens, in the URL."""
        self.port = port

    @property
    def url(self) -> str:
        """URL of the camera."""
        host = f"[{self.host}]" if ":" in self.host else self.host
        return f"rtsp://{host}:{self.port}/{self._path}"

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
