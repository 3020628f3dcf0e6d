"""A hub with parts that obey a test, and the client's side of its sessions."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import Any

import anyio
from pydantic import BaseModel

from support.supervised import supervisor
from touchline.core.errors import Blocked
from touchline.core.tasks import Changed
from touchline.web.websocket.channels import Channel
from touchline.web.websocket.commands import Action
from touchline.web.websocket.hub import Hub, HubSession

CHANNELS = ("status", "pipeline_state", "system_metrics", "panorama_status")
HELLO = {"v": 1, "type": "hello", "channels": ["status"]}
PONG = {"v": 1, "type": "pong"}
DEADLINE_S = 5.0
NEVER_S = 3600.0


class Lines(BaseModel):
    """Parameters that are checked."""

    lines: int


@dataclass
class Work:
    """Actions that tell what was asked of them; `slow` waits until `may_end`."""

    calls: list[Any] = field(default_factory=list)
    may_end: anyio.Event = field(default_factory=anyio.Event)
    big: str = ""

    def actions(self) -> dict[str, Action]:
        return {
            "echo": Action(self._echo, refreshes=True),
            "read": Action(self._read, reads=True),
            "slow": Action(self._slow),
            "blocked": Action(self._blocked),
            "checked": Action(self._checked),
            "broken": Action(self._broken),
        }

    async def _echo(self, params: Mapping[str, Any]) -> Any:
        self.calls.append(dict(params))
        return {"success": True, "calls": len(self.calls)}

    async def _read(self, params: Mapping[str, Any]) -> Any:
        self.calls.append(dict(params))
        return json.dumps({"big": self.big, "calls": len(self.calls)}).encode()

    async def _slow(self, params: Mapping[str, Any]) -> Any:
        self.calls.append(dict(params))
        await self.may_end.wait()
        return {"success": True}

    async def _blocked(self, params: Mapping[str, Any]) -> Any:
        raise Blocked("Could not acquire camera resources for recording", code="cameras_taken")

    async def _checked(self, params: Mapping[str, Any]) -> Any:
        del params
        Lines.model_validate({"lines": None})

    async def _broken(self, params: Mapping[str, Any]) -> Any:
        raise RuntimeError("/home/operator/secret")


class Client:
    """What a client sends and receives, without a socket."""

    def __init__(self, hub: Hub, owner: str = "address 10.0.0.1") -> None:
        self._hub = hub
        self.session: HubSession = hub.join(owner)

    def send(self, kind: str | None = None, **fields: Any) -> None:
        self.send_raw(json.dumps({"v": 1, "type": kind, **fields}))

    def send_raw(self, frame: str | bytes) -> None:
        self._hub.received(self.session, frame)

    async def receive(self) -> Any:
        with anyio.fail_after(DEADLINE_S):
            return json.loads(await self.session.outbox.take())

    async def ask(self, kind: str | None = None, **fields: Any) -> Any:
        self.send(kind, **fields)
        return await self.receive()

    async def received_so_far(self) -> list[Any]:
        """Everything up to now, told apart by a ping that comes last."""
        self.send("ping")
        messages = []
        while (message := await self.receive()) != PONG:
            messages.append(message)
        return messages

    def leave(self) -> None:
        self._hub.leave(self.session)


class Signals:
    """Signalling that tells what it was given and answers as it is told to."""

    def __init__(self) -> None:
        self.handled: list[dict[str, Any]] = []
        self.left: list[str] = []
        self.may_answer = anyio.Event()
        self.may_answer.set()
        self.error: Exception | None = None

    async def handle(
        self,
        connection_id: str,
        message: dict[str, Any],
        send: Callable[[str, dict[str, Any]], None],
    ) -> list[dict[str, Any]]:
        del send
        await self.may_answer.wait()
        self.handled.append(message)
        if self.error is not None:
            raise self.error
        return [{"type": "webrtc_state", "data": {"n": len(self.handled), "of": connection_id}}]

    async def closed(self, connection_id: str) -> None:
        self.left.append(connection_id)


@dataclass
class Rig:
    """An open hub and the handles on what it stands on."""

    hub: Hub
    work: Work
    channels: dict[str, Channel]
    snapshots: dict[str, Any]
    news: Changed
    taken: dict[str, int]
    ahead_s: float = 0.0
    """How much later it is for commands than the clock says."""

    async def client(self, owner: str = "address 10.0.0.1") -> Client:
        """A client that has been greeted."""
        made = Client(self.hub, owner)
        assert await made.receive() == HELLO
        return made


@asynccontextmanager
async def rig(
    *,
    period_s: float = NEVER_S,
    signalling: Any = None,
    record: Callable[..., None] = lambda *_args, **_details: None,
    snapshot: Callable[[str], Any] | None = None,
) -> AsyncIterator[Rig]:
    """An open hub with the contract's channels; they broadcast only when refreshed."""
    work, news = Work(), Changed()
    snapshots: dict[str, Any] = {name: {"of": name} for name in CHANNELS}
    taken = dict.fromkeys(CHANNELS, 0)

    def take(name: str) -> Any:
        taken[name] += 1
        return snapshot(name) if snapshot is not None else snapshots[name]

    channels = {
        name: Channel(name, period_s, partial(take, name), now=lambda: 1770837041.25)
        for name in CHANNELS
    }
    hub = Hub(
        channels.values(),
        work.actions(),
        signalling=signalling or Signals(),
        supervisor=supervisor(record),
        news=[news],
        clock=lambda: anyio.current_time() + made.ahead_s,
    )
    made = Rig(hub, work, channels, snapshots, news, taken)
    async with hub.open():
        yield made
