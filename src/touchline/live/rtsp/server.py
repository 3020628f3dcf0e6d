"""Serves cameras to RTSP clients such as VLC, OBS and network recorders, over TCP or UDP.

The live process announces a client to the server, which starts the camera or returns a reason for
refusal. Each client has a queue of its own; one that reads too slowly loses frames without
affecting others.
"""

from __future__ import annotations

import asyncio
import contextlib
import logging
import secrets
import struct
import time
from collections.abc import Callable
from typing import Any

from touchline.ipc import wire
from touchline.ipc.listening import ListeningClock
from touchline.live.frames.streams import Streams
from touchline.live.rtsp.door import STRANGER_S, Notify, RtspDoor
from touchline.live.rtsp.messages import (
    PAYLOAD_TYPE,
    BadRequest,
    RtspRequest,
    RtspResponse,
    Transport,
    describe,
    parse_request,
    parse_transport,
)
from touchline.live.rtsp.udp import SenderUdpPair
from touchline.live.webrtc.rtp import CLOCK_HZ, Packetizer, SentPacket, packed

log = logging.getLogger(__name__)

METHODS = "OPTIONS, DESCRIBE, SETUP, PLAY, TEARDOWN, GET_PARAMETER, SET_PARAMETER"
RETRY_S = 10
"""Delay in seconds after which a client may try again when all places are taken."""
ADMIT_S = 15.0
"""Time limit for the server to start showing the camera."""
SILENT_S = 65.0
"""A client that is silent for this long is disconnected; the session timeout it received is 60."""
STUCK_S = 30.0
"""A client to which nothing can be sent over its connection for this long is disconnected."""
_REPORT_S = 5.0
_LOOK_S = 1.0
_MAX_HEAD_BYTES = 16 << 10
_NTP_MINUS_UNIX_S = 2_208_988_800


class RtspServer:
    """Serves RTSP from `open` to `close`."""

    def __init__(self, streams: Streams, notify: Notify, *, password: str | None = None) -> None:
        self._streams = streams
        self._notify = notify
        self._door = RtspDoor(notify, password=password)
        self._clients: dict[str, _Client] = {}
        self._packetizers: dict[str, Packetizer] = {}
        self._server: asyncio.Server | None = None

    async def open(self, host: str, port: int) -> int:
        """Listen and return the port. Raises OSError."""
        self._server = await asyncio.start_server(
            self._serve, host.strip("[]"), port, limit=_MAX_HEAD_BYTES
        )
        return int(self._server.sockets[0].getsockname()[1])

    async def close(self) -> None:
        """Stop listening and disconnect every client."""
        if self._server is not None:
            self._server.close()
        for client in list(self._clients.values()):
            client.close_connection()

    def end(self, camera: str) -> None:
        """Disconnect the clients of a camera."""
        for client in list(self._clients.values()):
            if client.camera == camera:
                client.close_connection()

    def admit(self, viewer: str, reason: str | None) -> bool:
        """Let a client watch, or refuse with a reason; return whether it is still connected."""
        client = self._clients.get(viewer)
        return client is not None and client.admit(reason)

    def sessions(self) -> list[dict[str, Any]]:
        """Return the clients and what they watch."""
        return [client.to_json() for client in self._clients.values() if client.camera]

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        client = _Client(
            reader, writer, self._streams, self._packetizer, self._door, announce=self._announce
        )
        if not self._door.enter(client):
            writer.write(RtspResponse(503, {"Retry-After": str(RETRY_S)}).encode(None))
            writer.close()
            return
        self._clients[client.key] = client
        try:
            await client.serve()
        finally:
            self._door.leave(client)
            del self._clients[client.key]
            if client.camera is not None:
                self._announce(client.key, client.camera, here=False)

    def _packetizer(self, camera: str) -> Packetizer:
        return self._packetizers.setdefault(camera, Packetizer())

    def _announce(self, viewer: str, camera: str, *, here: bool) -> None:
        self._notify(wire.event("rtsp_viewer", viewer=viewer, camera=camera, here=here))


class _Client:
    """One connection, with at most one stream."""

    def __init__(
        self,
        reader: asyncio.StreamReader,
        writer: asyncio.StreamWriter,
        streams: Streams,
        packetizer: Callable[[str], Packetizer],
        door: RtspDoor,
        *,
        announce: Callable[..., None],
    ) -> None:
        self.key = secrets.token_hex(8)
        peer = writer.get_extra_info("peername")
        self.address = str(peer[0]) if peer else ""
        self.is_known = False
        self._pausing = False
        self.camera: str | None = None
        self._reader, self._writer = reader, writer
        self._streams = streams
        self._packetizer = packetizer
        self._door = door
        self._announce = announce
        self._admitted: asyncio.Future[str | None] = asyncio.get_running_loop().create_future()
        self._transport: Transport | None = None
        self._outlet: SenderUdpPair | None = None
        self._sending: asyncio.Task[None] | None = None
        self._sequence = secrets.randbits(15)
        self._origin = secrets.randbits(32)
        self._ssrc = secrets.randbits(32)
        self._listened_s = ListeningClock(slice_s=2 * _LOOK_S)
        self._came_at_s = self._heard_at_s = self._listened_s()
        self._stuck_since_s: float | None = None
        self._packets = 0
        self._bytes = 0

    def to_json(self) -> dict[str, Any]:
        """Describe the client for the status."""
        kind = None if self._transport is None else "tcp" if self._transport.interleaved else "udp"
        return {
            "camera": self.camera,
            "viewer": self.key,
            "address": self.address or None,
            "transport": kind,
            "packets": self._packets,
        }

    def admit(self, reason: str | None) -> bool:
        """Apply the server's decision; return whether it came in time."""
        if self._admitted.done():
            return False
        self._admitted.set_result(reason)
        return True

    def note_known(self) -> None:
        """Note that the client has sent the password."""
        self.is_known = True

    def note_pause(self, *, lasts: bool) -> None:
        """Note that a response is being delayed, or no longer."""
        self._pausing = lasts

    def close_connection(self) -> None:
        """Close the connection."""
        self._writer.close()

    async def serve(self) -> None:
        """Answer requests until either side closes."""
        watching = asyncio.create_task(self._watch_silence())
        try:
            while await self._serve_one():
                pass
        except (asyncio.IncompleteReadError, asyncio.LimitOverrunError, ConnectionError) as error:
            log.debug("an RTSP connection ended: %s", error)
        except BadRequest as error:
            log.info("not RTSP: %s", error)
            self._writer.write(RtspResponse(400).encode(None))
        finally:
            watching.cancel()
            await self._end_stream()
            self._admitted.cancel()
            self._writer.close()

    async def _serve_one(self) -> bool:
        """Answer one request; return whether another may follow."""
        first = await self._reader.readexactly(1)
        self._heard_at_s = self._listened_s()
        if first == b"$":  # RTCP of the client within the connection
            _, size = struct.unpack(">BH", await self._reader.readexactly(3))
            await self._reader.readexactly(size)
            return True
        head = first + await self._reader.readuntil(b"\r\n\r\n")
        request = parse_request(head.strip())
        await self._reader.readexactly(request.body_bytes)
        answer = await self._answer(request)
        self._writer.write(answer.encode(request))
        await self._writer.drain()
        if request.method == "PLAY" and answer.status == 200 and self._sending is None:
            self._sending = asyncio.create_task(self._send())
        return request.method != "TEARDOWN"

    async def _answer(self, request: RtspRequest) -> RtspResponse:  # noqa: PLR0911  (a switch)
        if request.method != "OPTIONS" and not await self._door.authenticate(self, request):
            return RtspResponse(401, {"WWW-Authenticate": 'Basic realm="touchline"'})
        match request.method:
            case "OPTIONS":
                return RtspResponse(headers={"Public": METHODS})
            case "DESCRIBE":
                return await self._describe(request)
            case "SETUP":
                return await self._set_up(request)
            case "PLAY" if self._transport is None:
                return RtspResponse(455)
            case "PLAY" | "GET_PARAMETER" | "SET_PARAMETER" | "TEARDOWN":
                return RtspResponse(headers={"Session": self._session})
        return RtspResponse(405, {"Allow": METHODS})

    @property
    def _session(self) -> str:
        return f"{self.key};timeout=60"

    async def _describe(self, request: RtspRequest) -> RtspResponse:
        status = await self._enter(request.camera)
        if status != 200:
            return RtspResponse(status)
        codec = self._streams.get(request.camera).codec
        if codec is None:
            return RtspResponse(503)
        headers = {"Content-Type": "application/sdp", "Content-Base": f"{request.url.rstrip('/')}/"}
        return RtspResponse(headers=headers, body=describe(request.camera, codec))

    async def _enter(self, camera: str) -> int:
        """Request that the camera is shown; return the status code of the response."""
        if self.camera is None:
            self.camera = camera
            self._announce(self.key, camera, here=True)
            try:
                reason = await asyncio.wait_for(asyncio.shield(self._admitted), ADMIT_S)
            except TimeoutError:
                reason = "the server did not respond"
            if reason is not None:
                self.camera = None
                self._admitted = asyncio.get_running_loop().create_future()
                log.info("an RTSP client may not watch %s: %s", camera, reason)
                return 404 if self._streams.find(camera) is None else 503
        self.is_known = True
        return 200 if camera == self.camera else 455

    async def _set_up(self, request: RtspRequest) -> RtspResponse:
        status = await self._enter(request.camera)
        if status != 200:
            return RtspResponse(status)
        if self._sending is not None:
            return RtspResponse(455)
        wanted = parse_transport(request.headers.get("transport", ""))
        if wanted is None:
            return RtspResponse(461)
        if wanted.interleaved:
            text = f"RTP/AVP/TCP;unicast;interleaved={wanted.rtp}-{wanted.rtcp}"
        else:
            await self._close_outlet()
            host = self._writer.get_extra_info("peername")[0]
            self._outlet = await SenderUdpPair.open(
                self._writer.get_extra_info("sockname")[0], host, wanted, self._note_activity
            )
            ports = f"server_port={self._outlet.port}-{self._outlet.port + 1}"
            text = f"RTP/AVP;unicast;client_port={wanted.rtp}-{wanted.rtcp};{ports}"
        self._transport = wanted
        text += f";ssrc={self._ssrc:08X}"
        return RtspResponse(headers={"Session": self._session, "Transport": text})

    def _note_activity(self) -> None:
        self._heard_at_s = self._listened_s()

    async def _watch_silence(self) -> None:
        """Disconnect a client that sends nothing, or does not read what it requested."""
        while True:
            await asyncio.sleep(_LOOK_S)
            if self._pausing:
                self._note_activity()  # the server makes it wait
            now_s = self._listened_s()
            silent_s = now_s - (self._heard_at_s if self.is_known else self._came_at_s)
            if self._stuck_since_s is not None and now_s - self._stuck_since_s > STUCK_S:
                reason = f"read no data for {STUCK_S:g} s"
            elif not self.is_known and silent_s > STRANGER_S and not self._pausing:
                reason = f"did not authenticate within {STRANGER_S:g} s"
            elif silent_s > SILENT_S and (self._outlet is not None or self._sending is None):
                # Data sent within the connection shows that the client is alive.
                reason = f"was silent for {SILENT_S:g} s"
            else:
                continue
            break
        log.info("an RTSP client at %s %s", self.address, reason)
        self._writer.transport.abort()

    # ---------------------------------------------------------------- sending

    async def _send(self) -> None:
        """Send frames from the next keyframe on, with their own times."""
        if self.camera is None:
            return
        stream, packetizer = self._streams.get(self.camera), self._packetizer(self.camera)
        subscription = stream.subscribe(with_gop=False)
        reported_s = 0.0
        try:
            async for frame in subscription:
                stamp = (self._origin + frame.pts_ns * 9 // 100_000) & 0xFFFFFFFF
                try:
                    found = packetizer.payloads(frame)
                except ValueError as error:
                    log.warning("%s: a frame is dropped: %s", self.camera, error)
                    continue
                await self._send_frame(stamp, found)
                if time.monotonic() - reported_s > _REPORT_S:
                    reported_s = time.monotonic()
                    self._send_packet(self._report(), rtcp=True)
        except (ConnectionError, OSError) as error:
            log.debug("an RTSP client disconnected: %s", error)
        finally:
            subscription.close()

    async def _send_frame(self, stamp: int, found: tuple[bytes, ...]) -> None:
        for number, payload in enumerate(found, 1):
            packet = SentPacket(self._sequence, number == len(found), stamp, payload)
            self._sequence = (self._sequence + 1) & 0xFFFF
            self._send_packet(packed(packet, PAYLOAD_TYPE, self._ssrc))
            self._packets += 1
            self._bytes += len(payload)
            if self._outlet is not None and number % 16 == 0:
                await asyncio.sleep(0.001)  # a burst as large as a keyframe overflows receivers
        if self._outlet is None:
            self._stuck_since_s = self._listened_s()
            await self._writer.drain()
            self._stuck_since_s = None

    def _send_packet(self, data: bytes, *, rtcp: bool = False) -> None:
        if self._outlet is not None:
            self._outlet.send(data, rtcp=rtcp)
        elif self._transport is not None and not self._writer.is_closing():
            channel = self._transport.rtcp if rtcp else self._transport.rtp
            self._writer.write(struct.pack(">cBH", b"$", channel, len(data)) + data)

    def _report(self) -> bytes:
        """Build a sender report: the RTP time of the current wall clock (RFC 3550, 6.4.1)."""
        unix = time.time()
        stamp = (self._origin + int(time.monotonic() * CLOCK_HZ)) & 0xFFFFFFFF
        whole = int(unix)
        return struct.pack(
            ">BBHIIIIII",
            0x80,
            200,
            6,
            self._ssrc,
            whole + _NTP_MINUS_UNIX_S,
            int((unix - whole) * (1 << 32)),
            stamp,
            self._packets & 0xFFFFFFFF,
            self._bytes & 0xFFFFFFFF,
        )

    async def _end_stream(self) -> None:
        task, self._sending = self._sending, None
        if task is not None:
            task.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await task
        await self._close_outlet()

    async def _close_outlet(self) -> None:
        outlet, self._outlet = self._outlet, None
        if outlet is not None:
            outlet.close()
