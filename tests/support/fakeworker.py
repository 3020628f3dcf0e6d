"""A camera worker without GStreamer: real sockets, the real wire, footage of random bytes.

Set what a worker is to do wrong, and it does.
"""

from __future__ import annotations

import asyncio
import os
import socket
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal

from support.growingsegments import Segment
from touchline.ipc import wire

STATUS_S = 0.03

OnRecord = Literal["starts", "is late", "fails", "says nothing", "dies", "dies writing"]
OnStop = Literal["stops", "says nothing", "dies", "is timed out", "does not finish", "dropped"]


@dataclass
class FakeWorker:
    """One camera's worker. Change `on_record`, `on_stop` and `mute` to see something fail."""

    directory: Path
    name: str
    on_record: OnRecord = "starts"
    on_stop: OnStop = "stops"
    mute: bool = False
    asked: list[str] = field(default_factory=list)
    order: wire.RecordOrder | None = None
    spec: dict[str, Any] | None = None
    segments: list[Segment] = field(default_factory=list)
    state: str = "stopped"
    last_error: str | None = None
    disk: str = "ok"
    disk_error: str | None = None
    writer_error: str | None = None
    gaps: list[dict[str, Any]] = field(default_factory=list)
    delivers: bool = True
    may_stop: asyncio.Event = field(default_factory=asyncio.Event)
    may_start: asyncio.Event = field(default_factory=asyncio.Event)
    dead: bool = False

    def __post_init__(self) -> None:
        self.may_stop.set()
        self.may_start.set()
        self._writers: set[asyncio.StreamWriter] = set()
        self._tasks: set[asyncio.Task[None]] = set()
        self._server: asyncio.AbstractServer | None = None

    # ------------------------------------------------------------- its life

    async def live(self) -> None:
        fd = os.open(self.directory, os.O_PATH | os.O_DIRECTORY)
        try:
            path = Path(f"/proc/self/fd/{fd}/{self.name}.sock")
            path.unlink(missing_ok=True)
            listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
            listener.bind(str(path))
        finally:
            os.close(fd)
        self._server = await asyncio.start_unix_server(self._serve, sock=listener)
        self._later(self._tell_status())

    def die(self) -> None:
        """As after kill -9: the files stay as they are."""
        if self.dead:
            return
        self.dead = True
        if self._server is not None:
            self._server.close()
        (self.directory / f"{self.name}.sock").unlink(missing_ok=True)
        self.close_connection()
        for task in self._tasks:
            task.cancel()

    @property
    def connected(self) -> bool:
        """Whether a server listens."""
        return bool(self._writers)

    def close_connection(self) -> None:
        """Lose the server, and go on without."""
        for writer in self._writers:
            writer.transport.abort()
        self._writers.clear()

    def _later(self, work: Any) -> None:
        task = asyncio.ensure_future(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._writers.add(writer)
        with suppress(ConnectionError):
            while line := await reader.readline():
                self._later(self._answer(wire.decode(line), writer))
        self._writers.discard(writer)
        writer.close()

    async def _answer(self, message: dict[str, Any], writer: asyncio.StreamWriter) -> None:
        self.asked.append(message["do"])
        reply = await getattr(self, f"_{message['do']}")(message)
        if reply is not None and not self.mute and not self.dead:
            writer.write(wire.encode({"re": message["id"], "ok": True, **reply}))

    def tell(self, event: dict[str, Any]) -> None:
        """Say something unasked."""
        if not self.mute:
            for writer in self._writers:
                writer.write(wire.encode(event))

    def tell_bytes(self, data: bytes) -> None:
        """Say what no worker says."""
        for writer in self._writers:
            writer.write(data)

    async def _tell_status(self) -> None:
        while True:
            self.write()
            self.tell({"event": "status", **self._status_now()})
            await asyncio.sleep(STATUS_S)

    # ------------------------------------------------------------- recording

    def write(self) -> None:
        """Bring the open segment up to now."""
        if self.order is not None and self.segments and self.delivers and self.disk == "ok":
            now = time.monotonic_ns() + self.order.unix_minus_monotonic_ns
            if not self.segments[-1].finalized:
                self.segments[-1].write_until(now)

    def record_now(self) -> None:
        """The first frame, or the first one after a loss, is there."""
        assert self.order is not None
        now = time.monotonic_ns() + self.order.unix_minus_monotonic_ns
        if self.segments:
            self._close_newest()
        start = (
            now
            if self.segments
            else max(now, self.order.start_monotonic_ns + self.order.unix_minus_monotonic_ns)
        )
        index = self.segments[-1].index + 1 if self.segments else self.order.first_index
        segment = Segment(self.order, index, start)
        segment.write_until(start + 1)
        self.segments.append(segment)
        self.state, self.delivers = "running", True
        self.tell({"event": "segment", "change": "opened", "segment": segment.info()})

    def mark_lost(self, state: str = "retrying", reason: str = "the cable is out") -> None:
        """The camera delivers nothing any more."""
        self.write()
        self.state, self.last_error, self.delivers = state, reason, False

    def resume_work(self) -> None:
        """A stalled camera delivers again, in the same segment."""
        self.state, self.delivers = "running", True

    def disk_is(self, state: str, error: str | None = None) -> None:
        """The disk took the last, or the first, data."""
        self.disk, self.disk_error = state, error
        self.tell({"event": "disk", "state": state, "error": error})

    def writer_is(self, error: str | None) -> None:
        """What writes the footage died, or its successor writes again."""
        self.writer_error = error
        if error is None:
            self.tell({"event": "writer_recovered"})
        else:
            self.tell({"event": "writer_failed", "reason": error, "deaths": 1})

    def gap(self, reason: str, length_ns: int = 500_000_000) -> None:
        """Footage was left out; what comes is in another segment."""
        assert self.order is not None
        self.write()
        end = self.segments[-1].info()["end_unix_ns"]
        span = {"from_unix_ns": end, "to_unix_ns": end + length_ns}
        gap = {**span, "reason": reason, "kind": "writer"}
        self.gaps.append(gap)
        self.tell({"event": "gap", "gap": gap})

    def _close_newest(self) -> None:
        newest = self.segments[-1]
        newest.finish()
        self.tell({"event": "segment", "change": "closed", "segment": newest.info()})

    # ------------------------------------------------------------- requests

    async def _hello(self, _: dict[str, Any]) -> dict[str, Any]:
        return {
            "protocol": wire.PROTOCOL,
            "name": self.name,
            "pid": os.getpid(),
            "elements": ["x264enc"],
            "spec": self.spec,
            "order": wire.order_to_json(self.order) if self.order else None,
            "report": self._report() if self.order else None,
        }

    async def _configure(self, message: dict[str, Any]) -> dict[str, Any]:
        self.spec = message["spec"]
        return {}

    async def _status(self, _: dict[str, Any]) -> dict[str, Any]:
        return self._status_now()

    def _status_now(self) -> dict[str, Any]:
        recording = None
        if self.order is not None:
            recording = {
                "match_id": self.order.match_id,
                "segment": self.segments[-1].info() if self.segments else None,
                "disk": self.disk,
                "disk_error": self.disk_error,
                "writer_error": self.writer_error,
                "backlog_bytes": 0,
                "dropped_disk": 0,
                "sync_ms_max": 1.0,
            }
        return {
            "camera": {
                "state": self.state,
                "fps": 25.0,
                "bitrate_bps": 8_000_000 if self.state == "running" else 0,
                "last_frame_age_s": 0.01 if self.delivers else 5.0,
                "last_error": self.last_error,
                "attempts": 0,
                "failed_permanently": False,
                "last_recovery_unix": None,
                "width": 1920,
                "height": 1080,
            },
            "recording": recording,
        }

    async def _record(self, message: dict[str, Any]) -> dict[str, Any] | None:
        if self.order is not None:
            text = f"the camera is already recording {self.order.match_id}"
            return {"ok": False, "code": "recording", "message": text}
        await self.may_start.wait()
        if self.on_record == "fails":
            return {"ok": False, "code": "not_configured", "message": "no camera there"}
        if self.on_record in {"says nothing", "dies"}:
            self._fall_silent(self.on_record)
            return None
        self.order = wire.order_from_json(message["order"])
        self.segments = []
        if self.on_record == "is late":
            self.state, self.last_error, self.delivers = "retrying", "nobody answers", False
            return {"started": False, "error": "nobody answers"}
        self.record_now()
        if self.on_record == "dies writing":
            self.die()
        return {"started": True, "segment": self.segments[-1].info()}

    async def _stop(self, message: dict[str, Any]) -> dict[str, Any] | None:
        if self.order is None:
            return {"ok": False, "code": "not_recording", "message": "the camera is not recording"}
        await self.may_stop.wait()
        if self.on_stop in {"says nothing", "dies"}:
            self._fall_silent(self.on_stop)
            return None
        at_unix_ns = message["at_ns"] + self.order.unix_minus_monotonic_ns
        if self.segments and self.delivers:
            self.segments[-1].write_until(at_unix_ns)
        finishes = self.on_stop in {"stops", "dropped"}
        if finishes:
            for segment in self.segments:
                segment.finish()
        timed_out = self.on_stop == "is timed out"
        error = None if self.segments else "no footage was written"
        if self.on_stop == "does not finish":
            error = "Input/output error"
        reply = {
            "finalized": finishes and bool(self.segments),
            "timed_out": timed_out,
            "error": "the disk took no more data for 8 s" if timed_out else error,
            "eos_received": not timed_out,
            **self._report(),
        }
        if self.on_stop == "dropped":
            reply["dropped_disk"] = 12
        self.order, self.state = None, "stopped"
        return reply

    def _fall_silent(self, how: str) -> None:
        if how == "dies":
            self.die()
        self.mute = True

    async def _quit(self, _: dict[str, Any]) -> dict[str, Any]:
        asyncio.get_running_loop().call_later(0.01, self.die)
        return {}

    def _report(self) -> dict[str, Any]:
        assert self.order is not None
        return {
            "match_id": self.order.match_id,
            "segments": [segment.info() for segment in self.segments],
            "gaps": self.gaps,
            "frames": 0,
            "dropped_disk": 0,
        }
