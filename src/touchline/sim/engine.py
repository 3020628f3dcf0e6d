"""The command `touchline simulate engine`: a program with the HTTP API of a streaming engine.

It plays contents that do not exist: a paced transport stream with counters in it, growing
statistics, sessions that supersede each other and expire. Ports come from the arguments, `CONF`,
`ACESTREAM_ARGS` or `HTTP_PORT`, in this order, as in the images of real engines; further settings
of a real engine are accepted and have no effect.

Faults are set at `/sim/fault`, by query: `hang=1` (no response), `delay_ms=`, `status=` (of every
response), `garbage=1`, `empty=1`, `offline=1` (no network), `only=` (a part of the path that the
fault is limited to). `/sim/heal` clears them, `/sim/lose` forgets all sessions, `/sim/die?code=`
ends the program, `/sim/state` returns the state.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import shlex
import signal
import sys
import time
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from touchline.sim.httpserver import HttpRequest, Reply, Silence, as_json, serve
from touchline.sim.mpegts import TransportStream
from touchline.sim.sessions import READER_TIMEOUT_S, PlaybackSession, PlaybackSessions

VERSION = "3.2.11-sim"
CHUNK_EVERY_S = 0.1
SEGMENT_S = 2.0
_UNKNOWN = {"response": None, "error": "unknown playback session id"}


@dataclass(frozen=True)
class EngineOptions:
    """Options of the simulated engine."""

    host: str = "127.0.0.1"
    http_port: int = 6878
    p2p_port: int = 8621
    count: int = 1
    bits_per_s: int = 2_000_000
    reader_timeout_s: float = READER_TIMEOUT_S
    start_delay_s: float = 0.0
    cache_dir: str | None = None
    given: tuple[str, ...] = ()
    """All arguments, unchanged."""


@dataclass(frozen=True)
class EngineFault:
    """The current fault."""

    hang: bool = False
    garbage: bool = False
    empty: bool = False
    offline: bool = False
    delay_ms: int = 0
    status: int = 0
    only: str = ""


@dataclass
class SimulatedEngine:
    """One engine with its sessions and its fault."""

    options: EngineOptions
    port: int
    sessions: PlaybackSessions
    fault: EngineFault = field(default_factory=EngineFault)
    asked: int = 0

    async def handle(self, request: HttpRequest) -> Reply:  # noqa: PLR0911  (a route each)
        """Handle one request."""
        if request.path.startswith("/sim/"):
            return self._control(request)
        self.asked += 1
        wrong = await self._inject_fault(request)
        if wrong is not None:
            return wrong
        if request.method not in {"GET", "HEAD"}:
            return as_json({"error": "method not allowed"}, 405)
        if request.path == "/server/api":
            return self._server_api(request)
        if request.path == "/webui/api/service":
            return self._service(request)
        kind, _, rest = request.path.removeprefix("/ace/").partition("/")
        if request.path.startswith("/ace/"):
            if kind in {"getstream", "manifest.m3u8"} and not rest:
                return self._start(request, hls=kind != "getstream")
            infohash, _, session_id = rest.partition("/")
            return self._session(kind, infohash, session_id, request)
        return as_json({"error": "not found"}, 404)

    # ------------------------------------------------------------------ answers

    def _server_api(self, request: HttpRequest) -> Reply:
        method = request.query.get("method")
        if method == "get_status":
            return as_json({"result": {"status": "ok", "version": VERSION}, "error": None})
        if method == "get_network_connection_status":
            return as_json({"result": {"connected": not self.fault.offline}, "error": None})
        if method == "analyze_content":
            content = {
                "title": "Simulated match",
                "content_type": "live",
                "transport_type": "torrent",
                "infohash": request.query.get("query", "").rpartition("=")[2] or None,
                "is_live": 1,
                "mime": "video/mp2t",
                "categories": ["sport"],
                "suggested_filename": None,
                "media_files_count": 1,
            }
            return as_json({"result": content, "error": None})
        return as_json({"result": None, "error": "unknown method"})

    def _service(self, request: HttpRequest) -> Reply:
        if request.query.get("method") != "get_version":
            return as_json({"result": None, "error": "unknown method"})
        result = {"platform": "linux", "version": VERSION, "code": 3021100, "websocket_port": 0}
        return as_json({"result": result, "error": None})

    def _start(self, request: HttpRequest, *, hls: bool) -> Reply:
        session = self.sessions.start(request.query)
        if session is None:
            return as_json({"response": None, "error": "missing content id"}, 400)
        root = f"http://{request.headers.get('host', f'127.0.0.1:{self.port}')}/ace"
        where = f"{session.infohash}/{session.id}"
        playback = f"{root}/{'m' if hls else 'r'}/{where}{'.m3u8' if hls else ''}"
        if request.query.get("format") != "json":
            return Reply(302, headers={"Location": playback})
        response = {
            "playback_url": playback,
            "stat_url": f"{root}/stat/{where}",
            "command_url": f"{root}/cmd/{where}",
            "event_url": f"{root}/event/{where}",
            "infohash": session.infohash,
            "playback_session_id": session.id,
            "is_live": 1,
            "is_encrypted": 0,
            "client_session_id": 1,
        }
        return as_json({"response": response, "error": None})

    def _session(  # noqa: PLR0911  (a route each)
        self, kind: str, infohash: str, session_id: str, request: HttpRequest
    ) -> Reply:
        if kind == "c":  # a segment: its number follows the session
            session_id, _, number = session_id.partition("/")
        else:
            number = ""
        session = self.sessions.find(infohash, session_id.removesuffix(".m3u8"))
        if kind == "stat":
            if session is None:
                return as_json(_UNKNOWN)
            return as_json({"response": self.sessions.stat(session, time.time()), "error": None})
        if kind == "cmd":
            return self._command(session, request)
        if session is None:
            return as_json(_UNKNOWN, 404)
        if kind == "r":
            if session.readers:
                return as_json({"error": "already read"}, 404)
            return Reply(content_type="video/mp2t", chunks=self._play(session))
        session.note_read(self.sessions.now_s())
        if kind == "m":
            return self._playlist(session)
        if kind == "c" and number.removesuffix(".ts").isdigit():
            segment = TransportStream(self.options.bits_per_s).until(SEGMENT_S)
            return Reply(body=segment, content_type="video/mp2t")
        return as_json({"error": "not found"}, 404)

    def _command(self, session: PlaybackSession | None, request: HttpRequest) -> Reply:
        if request.query.get("method") != "stop":
            return as_json({"response": None, "error": "unknown method"})
        if session is None:
            return as_json(_UNKNOWN)
        self.sessions.stop(session.infohash, session.id)
        return as_json({"response": "ok", "error": None})

    async def _play(self, session: PlaybackSession) -> AsyncIterator[bytes]:
        stream = TransportStream(self.options.bits_per_s)
        began_s = self.sessions.now_s()
        session.add_reader()
        try:
            while not session.superseded:
                now_s = self.sessions.now_s()
                chunk = stream.until(now_s - began_s)
                session.note_read(now_s, len(chunk))
                yield chunk
                await asyncio.sleep(CHUNK_EVERY_S)
        finally:
            session.remove_reader(self.sessions.now_s())

    def _playlist(self, session: PlaybackSession) -> Reply:
        age_s = self.sessions.now_s() - session.began_s
        first = max(0, int(age_s / SEGMENT_S) - 2)
        lines = ["#EXTM3U", "#EXT-X-VERSION:3", f"#EXT-X-TARGETDURATION:{SEGMENT_S:.0f}"]
        lines.append(f"#EXT-X-MEDIA-SEQUENCE:{first}")
        for number in range(first, first + 3):
            lines.append(f"#EXTINF:{SEGMENT_S:.3f},")
            lines.append(f"/ace/c/{session.infohash}/{session.id}/{number}.ts")
        body = "\n".join([*lines, ""]).encode()
        return Reply(body=body, content_type="application/vnd.apple.mpegurl")

    # ------------------------------------------------------------------ faults

    async def _inject_fault(self, request: HttpRequest) -> Reply | None:
        fault = self.fault
        if fault.only and fault.only not in request.path:
            return None
        if fault.hang:
            raise Silence
        if fault.delay_ms:
            await asyncio.sleep(fault.delay_ms / 1000)
        if fault.garbage:
            return Reply(body=b"<html>not what was asked for", content_type="text/html")
        if fault.empty:
            return Reply()
        if fault.status:
            return as_json({"error": "as ordered"}, fault.status)
        return None

    def _control(self, request: HttpRequest) -> Reply:
        what, query = request.path.removeprefix("/sim/"), request.query
        if what == "heal":
            self.fault = EngineFault()
        elif what == "fault":
            for name, value in query.items():
                if not hasattr(self.fault, name):
                    return as_json({"error": f"no fault {name}"}, 404)
                kind = type(getattr(self.fault, name))
                known: Any = value not in {"0", "false", ""} if kind is bool else kind(value)
                self.fault = replace(self.fault, **{name: known})
        elif what == "lose":
            self.sessions.forget_all()
        elif what == "die":
            code = int(query.get("code", "1"))
            asyncio.get_running_loop().call_later(0.01, os._exit, code)
        elif what != "state":
            return as_json({"error": "not found"}, 404)
        return as_json(
            {
                "port": self.port,
                "p2p_port": self.options.p2p_port,
                "arguments": self.options.given,
                "asked": self.asked,
                "fault": vars(self.fault),
                "sessions": [vars(session) for session in self.sessions.by_id.values()],
            }
        )


def parse(argv: Sequence[str], environ: Mapping[str, str]) -> EngineOptions:
    """Return the options given by arguments and environment; arguments take precedence."""
    conf = shlex.split(environ.get("CONF", "").replace("\n", " "))
    conf += shlex.split(environ.get("ACESTREAM_ARGS", ""))
    known, _ = _parser().parse_known_args([*conf, *argv])
    return options_of(known, environ, given=(*conf, *argv))


def options_of(
    known: argparse.Namespace, environ: Mapping[str, str], *, given: tuple[str, ...] = ()
) -> EngineOptions:
    """Return the options of a parsed command line."""
    host = known.host or ("0.0.0.0" if known.bind_all else "127.0.0.1")  # noqa: S104  (asked for)
    return EngineOptions(
        host=host,
        http_port=known.http_port or int(environ.get("HTTP_PORT") or 6878),
        p2p_port=known.port or int(environ.get("P2P_PORT") or 8621),
        count=known.count,
        bits_per_s=known.bits_per_s,
        reader_timeout_s=known.reader_timeout_s,
        start_delay_s=known.start_delay_s,
        cache_dir=known.cache_dir,
        given=given,
    )


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="engine", add_help=False, allow_abbrev=False)
    add_arguments(parser)
    return parser


def add_arguments(parser: argparse.ArgumentParser) -> None:
    """Add the options of the command."""
    add = parser.add_argument
    add("--host", help="address to listen on (127.0.0.1)")
    add("--bind-all", nargs="?", const=True, help="listen on every address")
    add("--http-port", type=int, help="port of the HTTP API (6878)")
    add("--https-port", type=int, help="accepted without effect")
    add("--port", type=int, help="port for peers (8621)")
    add("--count", type=int, default=1, help="number of engines, on consecutive ports")
    add("--bits-per-s", type=int, default=2_000_000, help="bit rate of the stream (2000000)")
    lifetime = "lifetime of a session without a reader"
    add("--reader-timeout-s", type=float, default=READER_TIMEOUT_S, help=lifetime)
    add("--start-delay-s", type=float, default=0.0, help="seconds before it listens")
    add("--cache-dir", help="directory for its cache files")


def run(options: EngineOptions) -> int:
    """Serve until SIGTERM or SIGINT and return the exit status."""
    with suppress(KeyboardInterrupt):
        return asyncio.run(_run(options))
    return 0


async def _run(options: EngineOptions) -> int:
    loop = asyncio.get_running_loop()
    over = asyncio.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, over.set)
    if options.start_delay_s:
        await asyncio.sleep(options.start_delay_s)
    if options.cache_dir is not None:
        cache = Path(options.cache_dir) / ".acestream_cache"
        cache.mkdir(parents=True, exist_ok=True)
        (cache / "pieces").write_bytes(bytes(64 * 1024))
    for port in range(options.http_port, options.http_port + options.count):
        sessions = PlaybackSessions(time.monotonic, options.bits_per_s, options.reader_timeout_s)
        try:
            await serve(SimulatedEngine(options, port, sessions).handle, options.host, port)
        except OSError as error:
            print(f"engine: port {port} on {options.host}: {error.strerror}", file=sys.stderr)
            return 1
    print(f"ready http://{options.host}:{options.http_port}", flush=True)
    await over.wait()
    return 0


if __name__ == "__main__":
    sys.exit(run(parse(sys.argv[1:], os.environ)))
