"""Live pictures of several cameras: their workers' feeds, decoded on arrival.

It listens like the live process would (`ipc.wire` describes the protocol); the server has a worker
send its feed here. A slow reader loses pictures and never delays the camera.
"""

from __future__ import annotations

import logging
import socket
import threading
from collections import deque
from fractions import Fraction
from pathlib import Path
from typing import Any

import av

from touchline.ipc import wire
from touchline.media.h264.colour import colour_of
from touchline.media.h264.syntax import Colour
from touchline.media.h264.units import annex_b
from touchline.media.mp4.writer import Codec
from touchline.studio.pictures.pairing import Shot

log = logging.getLogger(__name__)

KEPT_SHOTS = 8
_LINE_BYTES = 4096
_NANO = Fraction(1, 1_000_000_000)


class Receiver:
    """Receiver of feeds at a socket until closed. Times of shots are on CLOCK_MONOTONIC."""

    def __init__(self, directory: Path, name: str) -> None:
        """Listen at `name.sock` in `directory`. Raises OSError."""
        self.sizes: dict[str, tuple[int, int]] = {}
        self.colours: dict[str, Colour | None] = {}
        """Colours according to each camera's stream."""
        self._listener = wire.listen(directory, name)
        self._shots: dict[str, deque[Shot[av.VideoFrame]]] = {}
        self._changed = threading.Condition()
        self._closed = False
        self._connections: list[socket.socket] = []
        threading.Thread(target=self._accept, name="feeds", daemon=True).start()

    def close(self) -> None:
        """Stop receiving and wake the readers."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
        for each in (self._listener, *self._connections):
            try:
                each.shutdown(socket.SHUT_RDWR)
            except OSError as error:
                log.debug("it was already gone: %s", error)
            each.close()

    def waiting(self, camera: str) -> list[Shot[av.VideoFrame]]:
        """Return the newest pictures of a camera without removing them."""
        with self._changed:
            return list(self._shots.get(camera, ()))

    def wait(self, timeout_s: float) -> None:
        """Wait for new pictures, at most for the timeout."""
        with self._changed:
            if not self._closed:
                self._changed.wait(timeout_s)

    def _accept(self) -> None:
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                return  # closed
            self._connections.append(connection)
            threading.Thread(
                target=self._serve, args=(connection,), name="feed", daemon=True
            ).start()

    def _serve(self, connection: socket.socket) -> None:
        with connection, connection.makefile("rb", buffering=1 << 20) as file:
            try:
                camera = str(wire.decode(file.readline(_LINE_BYTES))["camera"])
                decoder, codec = _decoder(), Codec(0, 0, b"")
                while raw := file.read(wire.FEED_HEAD.size):
                    head, avcc_bytes = wire.decode_feed_head(raw)
                    if head.codec is not None:
                        codec = head.codec._replace(avcc=file.read(avcc_bytes))
                        decoder = _decoder()
                        self.colours[camera] = colour_of(codec.avcc)
                    data = file.read(head.data_bytes)
                    packet = av.Packet(annex_b(data, codec) if head.keyframe else _to_annex_b(data))
                    packet.pts, packet.dts, packet.time_base = head.pts_ns, head.dts_ns, _NANO
                    for frame in _decode_packet(decoder, packet):
                        self._put(camera, Shot(int(frame.pts or head.pts_ns), frame))
            except (OSError, ValueError, KeyError) as error:
                log.info("a feed ended: %s", error)

    def _put(self, camera: str, shot: Shot[av.VideoFrame]) -> None:
        with self._changed:
            shots = self._shots.setdefault(camera, deque())
            self.sizes[camera] = (shot.picture.width, shot.picture.height)
            if len(shots) >= KEPT_SHOTS:
                shots.popleft()
            shots.append(shot)
            self._changed.notify_all()


def _decoder() -> av.VideoCodecContext:
    decoder = av.CodecContext.create("h264", "r")
    decoder.thread_count = 1
    return decoder


def _decode_packet(decoder: av.VideoCodecContext, packet: av.Packet[Any]) -> list[av.VideoFrame]:
    try:
        return list(decoder.decode(packet))
    except av.FFmpegError as error:
        log.warning("a picture cannot be decoded: %s", error)
        return []


def _to_annex_b(data: bytes) -> bytes:
    return annex_b(data, _NO_CODEC)


_NO_CODEC = Codec(0, 0, b"\x01\x00\x00\x00\xff\xe0\x00")
