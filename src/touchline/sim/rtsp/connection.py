"""RTSP connection of one client: reads requests, answers them, and starts the player."""

from __future__ import annotations

import re
import secrets
import socket
import struct
import threading
import time
from collections.abc import Callable
from contextlib import suppress
from urllib.parse import urlsplit

from touchline.sim.rtsp import description
from touchline.sim.rtsp.media.outlet import TrackOutlet
from touchline.sim.rtsp.media.player import PlayedTrack, Player
from touchline.sim.rtsp.message import CameraResponse, Inbox, Malformed, PlayerRequest, render
from touchline.sim.rtsp.misbehaviour import METHODS
from touchline.sim.rtsp.servedcamera import ServedCamera
from touchline.sim.rtsp.transport import Datagrams, Interleaved, Wire

_TICK_S = 0.1
_FIRST_PACKETS_S = 5.0
_DEFAULT_TIMEOUT_S = 60
_END_S = 2.0
_OTHER_CHANNELS = 10
_ENDLESS = b"x" * 64 * 1024
_NEEDS_SESSION = {"PLAY", "PAUSE", "TEARDOWN"}


class Connection:
    """A client connection from its first to its last byte."""

    def __init__(
        self,
        number: int,
        peer: socket.socket,
        camera: ServedCamera,
        *,
        on_closed: Callable[[Connection], None],
        players_beside: Callable[[Connection], int],
    ) -> None:
        self.number = number
        self._peer = peer
        self._camera = camera
        self._on_closed, self._players_beside = on_closed, players_beside
        self._odd = camera.odd
        self._ledger = camera.ledger
        self._gone = threading.Event()
        self._wire = Wire(peer, self._held_s, self._gone)
        self._session = ""
        self._channels: dict[int, PlayedTrack] = {}
        self._player: Player | None = None
        self._alive_at_s = time.monotonic()
        self._ask_at_s = time.monotonic()
        self._asked = 0
        self._close_reason = ""
        self._thread = threading.Thread(target=self._run, name=f"client {number}", daemon=True)

    def start(self) -> None:
        """Start listening to the client."""
        self._thread.start()

    def close(self, reason: str) -> None:
        """Close the connection from any thread."""
        if not self._close_reason:
            self._close_reason = reason
        self._gone.set()
        with suppress(OSError):  # the client, or another thread, was first
            if self._odd.close_how == "reset":
                self._peer.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                self._peer.shutdown(socket.SHUT_RDWR)

    def join(self) -> None:
        """Wait for both threads to end."""
        self._thread.join(_END_S)

    @property
    def playing(self) -> bool:
        """Whether frames are sent to it."""
        return self._player is not None

    # --------------------------------------------------------------- the thread

    def _run(self) -> None:
        inbox = Inbox()
        self._peer.settimeout(_TICK_S)
        reason = ""
        try:
            while not self._gone.is_set():
                try:
                    data = self._peer.recv(65_536)
                except TimeoutError:
                    data = None
                if data == b"":
                    reason = "the client has closed it"
                    break
                for item in inbox.feed(data or b""):
                    self._take(item)
                self._tick()
        except OSError as error:
            reason = f"the client is gone: {error}"
        except Malformed as error:
            reason = str(error)
        finally:
            self._finish(self._close_reason or reason)

    def _finish(self, reason: str) -> None:
        self._gone.set()
        self._stop_playing()
        self._peer.close()
        self._ledger.note("closed", client=self.number, reason=reason)
        self._on_closed(self)

    def _stop_playing(self) -> None:
        if self._player is not None:
            self._camera.source.remove(self._player)
            self._player.stop()
            self._player.join(_END_S)
            self._player = None
        for channel in self._channels.values():
            channel.delivery.close()
        self._channels = {}

    def _held_s(self) -> float:
        return 0.0 if self._player is None else self._player.held_s()

    def _tick(self) -> None:
        now_s = time.monotonic()
        if self._odd.alive_by == "any" and any(
            isinstance(channel.delivery, Datagrams) and channel.delivery.heard()
            for channel in self._channels.values()
        ):
            self._alive_at_s = now_s
        timeout_s = self._odd.session_timeout
        if self._player is not None and timeout_s and now_s - self._alive_at_s > timeout_s:
            self._ledger.note("session_timed_out", client=self.number)
            self.close("the session timed out")
        every_s = self._odd.ask_client_every
        if self._player is not None and every_s is not None and now_s >= self._ask_at_s:
            self._ask_at_s = now_s + every_s
            self._asked += 1
            method = ("OPTIONS", "GET_PARAMETER", "SET_PARAMETER")[self._asked % 3]
            text = f"{method} {self._camera.url} RTSP/1.0\r\nCSeq: {self._asked}\r\n"
            self._wire.write(f"{text}Session: {self._session}\r\n\r\n".encode())

    # ----------------------------------------------------------------- requests

    def _take(self, item: PlayerRequest | bytes) -> None:
        alive_by = self._odd.alive_by
        if isinstance(item, bytes):
            if alive_by == "any":
                self._alive_at_s = time.monotonic()
            return
        if not item.method:
            self._ledger.note("client_answer", client=self.number)
            return
        if alive_by in {"any", "requests", item.method.lower()} or not self.playing:
            self._alive_at_s = time.monotonic()
        authorization = item.headers.get("authorization")
        self._ledger.note(
            "request",
            client=self.number,
            method=item.method,
            url=item.url,
            user_agent=item.headers.get("user-agent"),
            authorization=authorization.split(" ")[0].lower() if authorization else None,
        )
        if self._odd.answer_after and self._gone.wait(self._odd.answer_after):
            return
        answer = self._answer(item)
        if answer is not None:
            self._write(item, answer)
        if item.method == "TEARDOWN":
            self._stop_playing()
        if item.method == "PLAY" and self._player is not None:
            self._player.start()

    def _write(self, request: PlayerRequest, answer: CameraResponse) -> None:
        odd = self._odd
        endless = odd.endless_answer if request.method == "DESCRIBE" else "none"
        if endless == "body":
            answer.headers.append(("Content-Length", str(10**12)))
        data = render(answer, request.headers.get("cseq"), odd)
        if endless == "headers":
            data = data.partition(b"\r\n\r\n")[0] + b"\r\nX-Filler: "
        self._wire.write(data, at_a_time=odd.split_answers)
        while endless != "none" and not self._gone.is_set():
            self._wire.write(_ENDLESS)

    def _answer(self, request: PlayerRequest) -> CameraResponse | None:
        """Choose the response; None for no response at all."""
        method, odd = request.method, self._odd
        if method not in METHODS:
            return CameraResponse(501)
        if (status := self._camera.refusal(method)) is not None:
            return CameraResponse(status)
        if self._camera.gate is not None and method != "OPTIONS":
            header = request.headers.get("authorization")
            status, challenges = self._camera.gate.judge(method, header)
            if status != 200:
                return CameraResponse(status, list(challenges))
        if not self._camera.serves(request.url) and method != "OPTIONS":
            return CameraResponse(404)
        if method in _NEEDS_SESSION and not self._channels:
            return CameraResponse(454 if method == "TEARDOWN" else 455)
        handlers: dict[str, Callable[[PlayerRequest], CameraResponse]] = {
            "OPTIONS": self._options,
            "DESCRIBE": self._describe,
            "SETUP": self._setup,
            "PLAY": self._play,
            "PAUSE": self._pause,
        }
        handler = handlers.get(method)
        answer = CameraResponse(200) if handler is None else handler(request)
        if method in _NEEDS_SESSION | {"SETUP"} and answer.status == 200:
            answer.headers.append(("Session", self._session_header()))
        return None if method == "TEARDOWN" and odd.no_teardown_answer else answer

    def _options(self, _request: PlayerRequest) -> CameraResponse:
        odd = self._odd
        if odd.public == "missing":
            return CameraResponse(200)
        listed = [m for m in METHODS if odd.public == "all" or odd.refused(m) is None]
        return CameraResponse(200, [("Public", ", ".join(listed))])

    def _describe(self, request: PlayerRequest) -> CameraResponse:
        odd = self._odd
        if odd.redirect is not None:
            to = self._camera.redirection(odd.redirect)
            return CameraResponse(302, [("Location", to)])
        base = request.url.split("?")[0].rstrip("/") + "/"
        shown = {
            "right": [("Content-Base", base)],
            "missing": [],
            "no-slash": [("Content-Base", base.rstrip("/"))],
            "other-host": [("Content-Base", f"rtsp://192.0.2.1:554{urlsplit(base).path}")],
        }[odd.content_base]
        body = description.describe(
            self._camera.tracks,
            self._camera.source.tracks,
            odd,
            base=base,
            alternate=self._camera.alternates(),
        )
        headers = [("Content-Type", "application/sdp"), *shown]
        if odd.huge_header:
            headers.append(("X-Filler", "x" * odd.huge_header))
        return CameraResponse(200, headers, body)

    def _setup(self, request: PlayerRequest) -> CameraResponse:
        odd, camera = self._odd, self._camera
        if odd.max_clients is not None and self._players_beside(self) >= odd.max_clients:
            return CameraResponse(453)
        number = re.search(r"trackID=(\d{1,2})$", request.url.rstrip("/"))
        track = {t.number: t for t in camera.tracks}.get(int(number[1]) if number else 0)
        if track is None:
            return CameraResponse(404)
        asked = request.headers.get("transport", "")
        transport = self._transport(asked)
        if transport is None:
            return CameraResponse(461)
        delivery, granted = transport
        outlet = TrackOutlet(
            codec=camera.codec,
            payload_type=track.payload_type,
            clock_hz=track.clock_hz,
            origin_ns=camera.origin_ns,
            odd=odd,
            ledger=self._ledger,
        )
        if not self._session:
            self._session = secrets.token_hex(8)
        self._channels[track.number] = PlayedTrack(track.kind, outlet, delivery)
        if odd.transport_header == "full":
            granted += f';ssrc={outlet.ssrc:08X};mode="PLAY"'
        return CameraResponse(200, [("Transport", granted)])

    def _transport(self, asked: str) -> tuple[Interleaved | Datagrams, str] | None:
        """Choose the first requested transport that this camera supports."""
        odd = self._odd
        for one in asked.split(","):
            parts = one.strip().split(";")
            values = dict(part.split("=", 1) for part in parts if "=" in part)
            if "multicast" in parts:
                continue
            if parts[0].upper() == "RTP/AVP/TCP" and odd.transports != "udp":
                channel = _first_number(values.get("interleaved"), 2 * len(self._channels))
                channel += _OTHER_CHANNELS if odd.channels == "other" else 0
                delivery = Interleaved(
                    self._wire,
                    channel,
                    stray_bytes=odd.stray_bytes,
                    stray_channel=odd.stray_channel,
                )
                return delivery, f"RTP/AVP/TCP;unicast;interleaved={channel}-{channel + 1}"
            if parts[0].upper() in {"RTP/AVP", "RTP/AVP/UDP"} and odd.transports != "tcp":
                port = _first_number(values.get("client_port"), 0)
                if not port:
                    continue
                address = self._peer.getpeername()[0]
                host = self._peer.getsockname()[0]
                made = Datagrams(host, (address, port, port + 1), self._wire)
                granted = f"RTP/AVP;unicast;client_port={port}-{port + 1}"
                return made, f"{granted};server_port={made.ports[0]}-{made.ports[1]}"
        return None

    def _play(self, request: PlayerRequest) -> CameraResponse:
        if self._player is None:
            player = Player(
                self.number,
                dict(self._channels),
                self._odd,
                self._camera.occasion,
                self._ledger,
                self._handle_end,
            )
            self._player = player
            self._camera.source.add(player)
            if self._odd.media_before_answer:
                player.start()  # starting it again after the answer has no effect
                player.wait_for_first(_FIRST_PACKETS_S)
        else:
            self._player.pause(paused=False)
        headers = [("Range", "npt=now-")]
        if self._odd.rtp_info != "missing":
            headers.append(("RTP-Info", self._rtp_info(request)))
        return CameraResponse(200, headers)

    def _rtp_info(self, request: PlayerRequest) -> str:
        wrong = 12_345 if self._odd.rtp_info == "wrong" else 0
        now_ns = time.monotonic_ns()
        return ",".join(
            f"url={request.url.rstrip('/')}/trackID={number}"
            f";seq={(channel.outlet.next_sequence + wrong) & 0xFFFF}"
            f";rtptime={(channel.outlet.stamp_at(now_ns) + wrong) & 0xFFFFFFFF}"
            for number, channel in self._channels.items()
        )

    def _pause(self, _request: PlayerRequest) -> CameraResponse:
        if self._player is not None:
            self._player.pause(paused=True)
        return CameraResponse(200)

    def _session_header(self) -> str:
        timeout_s = self._odd.session_timeout or _DEFAULT_TIMEOUT_S
        known = self._session
        return {
            "timeout": f"{known};timeout={timeout_s}",
            "plain": known,
            "spaces": f"{known} ; timeout = {timeout_s}",
            "long": f"{known}{'-._+$' * 40};timeout={timeout_s}",
            "new-each-time": f"{secrets.token_hex(8)};timeout={timeout_s}",
        }[self._odd.session_header]

    def _handle_end(self, reason: str) -> None:
        """Handle the end of the player: only a BYE leaves the connection open."""
        if reason and reason != "bye":
            self._ledger.note("player_ended", client=self.number, reason=reason)
            self.close(reason)


def _first_number(text: str | None, otherwise: int) -> int:
    first = (text or "").split("-")[0]
    return int(first) if first.isascii() and first.isdecimal() and len(first) < 6 else otherwise
