"""The program `python -m touchline.live`: one process that shows all cameras to all viewers.

The server starts it in a session of its own and keeps it warm. What the server requested ends when
its connection closes; without a server the process exits after a minute.
"""

from __future__ import annotations

import argparse
import asyncio
import contextlib
import fcntl
import importlib.util
import logging
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from touchline.ipc import wire
from touchline.ipc.control import ControlServer, Problem
from touchline.ipc.listening import ListeningClock
from touchline.ipc.stderrlog import open_log
from touchline.live.frames.stream import CameraStream
from touchline.live.frames.streams import Streams
from touchline.live.hls.hls import Hls
from touchline.live.hls.memory import MEMORY, clear_folder, make_folder
from touchline.live.hls.packager import PlaylistEnd, PlaylistShape
from touchline.live.rtsp.server import RtspServer
from touchline.live.transcoding.pool import Transcodes

if TYPE_CHECKING:
    from touchline.live.webrtc.webrtc import Peers

log = logging.getLogger("touchline.live")

Request = Callable[[dict[str, Any]], Awaitable[dict[str, Any] | None]]

STATUS_S = 0.5
IDLE_LEAVE_S = 60.0
EXIT_TAKEN = 75  # another live process serves this directory
FEED_BUFFER_BYTES = 4 << 20
"""Limit of asyncio's read-ahead: about one large keyframe."""


class LiveServer:
    """Carries out the server's requests."""

    def __init__(self, directory: Path, hls_parent: Path | None) -> None:
        """Create HLS files in a folder inside `hls_parent`; None means in memory."""
        self.leave = asyncio.Event()
        self._hls_parent = hls_parent
        self.folder = make_folder(directory, hls_parent or MEMORY)
        self.streams = Streams(self._stream_changed)
        self.control = ControlServer(
            self._do, alone=self._end_all, error_code="live_error", gives_up=True
        )
        self._transcodes = Transcodes(self.streams, self._viewer_changed)
        self._hls: dict[str, Hls] = {}
        self._ended: dict[str, PlaylistEnd] = {}
        self._rtsp: RtspServer | None = None
        self._peers: Peers | None = None
        self._peers_lock = asyncio.Lock()
        self._listened_s = ListeningClock(slice_s=2 * STATUS_S)
        self._alone_since_s = self._listened_s()
        self._requests: Mapping[str, Request] = {
            "hello": self._hello,
            "streams": self._streams,
            "wait_up": self._wait_up,
            "hide": self._hide,
            "hls_start": self._hls_start,
            "hls_stop": self._hls_stop,
            "hls_playlist": self._hls_playlist,
            "hls_file": self._hls_file,
            "rtsp_start": self._rtsp_start,
            "rtsp_admit": self._rtsp_admit,
            "quit": self._quit,
        }

    async def _do(self, message: dict[str, Any]) -> dict[str, Any]:
        what = str(message.get("do"))
        if what.startswith("webrtc_"):
            return await self._webrtc(what, message)
        carry_out = self._requests.get(what)
        if carry_out is None:
            raise Problem("unknown_request", f"unknown request {what!r}")
        return await carry_out(message) or {}

    async def _hello(self, message: dict[str, Any]) -> dict[str, Any]:
        """Return identity and capabilities of this process."""
        del message
        return {
            "protocol": wire.PROTOCOL,
            "pid": os.getpid(),
            "hls_dir": str(self.folder),
            "hls_parent": None if self._hls_parent is None else str(self._hls_parent),
            "webrtc": importlib.util.find_spec("aiortc") is not None,
        }

    async def _streams(self, message: dict[str, Any]) -> dict[str, Any]:
        del message
        return self.status()

    async def _wait_up(self, message: dict[str, Any]) -> dict[str, Any]:
        stream = self.streams.get(str(message["camera"]))
        return {"up": await stream.wait_up(float(message["wait_s"]))}

    async def _quit(self, message: dict[str, Any]) -> None:
        del message
        self.leave.set()

    def status(self) -> dict[str, Any]:
        """Return the streams, viewers and transcodes, from memory."""
        return {
            "streams": self.streams.status(),
            "hls": sorted(self._hls),
            "webrtc_sessions": self._peers.sessions() if self._peers else [],
            "rtsp_sessions": self._rtsp.sessions() if self._rtsp else [],
            "transcodes": self._transcodes.status(),
        }

    def _stream_changed(self, stream: CameraStream) -> None:
        self.control.notify(wire.event("stream", camera=stream.name, up=stream.up))

    async def _hide(self, message: dict[str, Any]) -> None:
        """Stop everything that shows this camera."""
        camera = str(message["camera"])
        await self._end_hls(camera)
        if self._rtsp is not None:
            self._rtsp.end(camera)
        if self._peers is not None:
            for session in self._peers.sessions():
                if session["camera"] == camera:
                    with contextlib.suppress(Problem):  # it has ended in the meantime
                        await self._peers.stop(session["session"])

    # ------------------------------------------------------------------ HLS

    async def _hls_start(self, message: dict[str, Any]) -> None:
        camera = str(message["camera"])
        if camera in self._hls:
            return
        shape = PlaylistShape(
            part_s=float(message["part_s"]),
            segment_s=float(message["segment_s"]),
            segments=int(message["segments"]),
        )
        after = self._ended.get(camera)
        self._hls[camera] = Hls(self._transcodes.of(camera), self.folder, shape, after=after)

    async def _hls_stop(self, message: dict[str, Any]) -> None:
        await self._end_hls(str(message["camera"]))

    async def _end_hls(self, camera: str) -> None:
        hls = self._hls.pop(camera, None)
        if hls is not None:
            self._ended[camera] = hls.ended
            await hls.close()

    async def _hls_playlist(self, message: dict[str, Any]) -> dict[str, Any]:
        text = await self._hls_of(message).playlist(message.get("msn"), message.get("part"))
        if text is None:
            raise Problem("hls_not_ready", "the requested segment was not available in time")
        return {"text": text}

    async def _hls_file(self, message: dict[str, Any]) -> dict[str, Any]:
        return {"there": await self._hls_of(message).wait_for(str(message["name"]))}

    def _hls_of(self, message: dict[str, Any]) -> Hls:
        hls = self._hls.get(str(message["camera"]))
        if hls is None:
            raise Problem("hls_stopped", "this camera is not shown over HLS")
        return hls

    # ----------------------------------------------------------------- RTSP

    async def _rtsp_start(self, message: dict[str, Any]) -> dict[str, Any]:
        await self._end_rtsp()
        server = RtspServer(self.streams, self.control.notify, password=message.get("password"))
        try:
            port = await server.open(str(message["host"]), int(message["port"]))
        except OSError as error:
            code = "rtsp_port"
            text = f"the RTSP port {message['port']} cannot be used: {error.strerror}"
            raise Problem(code, text) from error
        self._rtsp = server
        return {"port": port}

    async def _rtsp_admit(self, message: dict[str, Any]) -> dict[str, Any]:
        viewer, reason = str(message["viewer"]), message.get("reason")
        return {"here": self._rtsp is not None and self._rtsp.admit(viewer, reason)}

    async def _end_rtsp(self) -> None:
        server, self._rtsp = self._rtsp, None
        if server is not None:
            await server.close()

    # --------------------------------------------------------------- WebRTC

    async def _webrtc(self, what: str, message: dict[str, Any]) -> dict[str, Any]:
        peers = await self._load_peers()
        match what:
            case "webrtc_start":
                camera, viewer = str(message["camera"]), str(message.get("viewer", ""))
                ice_servers = message.get("ice_servers", [])
                return {"session": await peers.start(camera, viewer, ice_servers=ice_servers)}
            case "webrtc_offer":
                return await peers.offer(str(message["session"]), str(message["sdp"]))
            case "webrtc_candidate":
                session, index = str(message["session"]), _index(message.get("sdpMLineIndex"))
                await peers.candidate(session, str(message["candidate"]), index)
                return {}
            case "webrtc_stop":
                await peers.stop(str(message["session"]))
                return {}
            case "webrtc_clear":
                await peers.clear(str(message["camera"]))
                return {}
            case "webrtc_sessions":
                return {"sessions": peers.sessions()}
        raise Problem("unknown_request", f"unknown request {what!r}")

    async def _load_peers(self) -> Peers:
        async with self._peers_lock:
            if self._peers is None:
                if importlib.util.find_spec("aiortc") is None:
                    raise Problem("webrtc_unavailable", "WebRTC runtime is not available")
                # Half a second of imports: in a thread, because they would delay HLS on the loop.
                peers = await asyncio.to_thread(_load_peers)
                self._peers = peers(self._transcodes, self._viewer_changed)
            return self._peers

    def _viewer_changed(self, event: dict[str, Any]) -> None:
        self.control.notify(event)
        self.control.notify(wire.event("status", **self.status()))

    async def warm(self) -> None:
        """Load WebRTC before the first viewer needs it."""
        with contextlib.suppress(Problem):
            await self._load_peers()

    # ------------------------------------------------------------ background tasks

    async def _end_all(self) -> None:
        """End everything that the server requested, because its connection has closed."""
        self._alone_since_s = self._listened_s()
        self.streams.close_feeds()
        for camera in list(self._hls):
            await self._end_hls(camera)
        await self._end_rtsp()
        if self._peers is not None:
            await self._peers.close()
        await self._transcodes.close()

    async def send_status(self) -> None:
        """Send the status twice a second; exit when no server has listened for a minute."""
        while True:
            await asyncio.sleep(STATUS_S)
            self.control.notify(wire.event("status", **self.status()))
            alone_s = self._listened_s() - self._alone_since_s
            if not self.control.connected and alone_s > IDLE_LEAVE_S:
                log.info("no server for %g s: exiting", IDLE_LEAVE_S)
                self.leave.set()

    async def finish(self) -> None:
        """Disconnect all viewers and remove all files."""
        await self._end_all()
        await asyncio.to_thread(clear_folder, self.folder)


def _load_peers() -> type[Peers]:
    from touchline.live.webrtc.webrtc import Peers

    return Peers


def _index(given: object) -> int:
    """Return the index of an SDP section as given by a viewer; 0 for an invalid one."""
    return given if isinstance(given, int) else 0


async def _main(directory: Path, name: str, hls_parent: Path | None) -> None:
    live = LiveServer(directory, hls_parent)
    loop = asyncio.get_running_loop()
    loop.add_signal_handler(signal.SIGTERM, live.leave.set)
    feeds = await asyncio.start_unix_server(
        live.streams.serve_feed,
        sock=wire.listen(directory, f"{name}-feed"),
        limit=FEED_BUFFER_BYTES,
    )
    # Listen on the control socket last: a server that connects may start feeds at once.
    control = await live.control.listen(directory, name)
    telling = asyncio.create_task(live.send_status())
    warming = asyncio.create_task(live.warm())
    leaving = asyncio.create_task(live.leave.wait())
    await asyncio.wait({telling, leaving}, return_when=asyncio.FIRST_COMPLETED)
    await live.finish()
    for server in (control, feeds):
        server.close()
    if telling.done():
        telling.result()
    telling.cancel()
    warming.cancel()


def main() -> int:
    """Run the live process and return its exit status."""
    parser = argparse.ArgumentParser(prog="touchline.live", description=__doc__)
    parser.add_argument("--directory", type=Path, required=True, help="directory of the sockets")
    parser.add_argument("--name", default="live", help="name of the socket")
    parser.add_argument("--hls-dir", type=Path, help="directory for the HLS files")
    arguments = parser.parse_args()
    open_log(arguments.name)
    logging.getLogger("aioice").setLevel(logging.WARNING)  # it logs each step of each check
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    lock = os.open(arguments.directory / f"{arguments.name}.lock", os.O_RDWR | os.O_CREAT, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        log.error("another live process uses this directory")
        return EXIT_TAKEN
    asyncio.run(_main(arguments.directory, arguments.name, arguments.hls_dir))
    return 0


if __name__ == "__main__":
    sys.exit(main())
