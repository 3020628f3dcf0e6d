"""A live process and cameras as far as showing one by the other looks at them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import SimpleNamespace
from typing import Any

import anyio

from touchline.core.errors import Blocked


class FakeLive:
    """A live process that shows whatever is fed to it."""

    def __init__(self) -> None:
        self.connected = True
        self.feed_path = "/run/live-feed.sock"
        self.status: Mapping[str, Any] = {"webrtc_sessions": []}
        self.asked: list[tuple[str, str]] = []
        self.dark: set[str] = set()
        """Cameras of which nothing comes."""
        self.may_answer = anyio.Event()
        self.may_answer.set()
        self.there = anyio.Event()
        self.there.set()
        self.events: list[Callable[[Mapping[str, Any]], None]] = []

    def on_event(self, call: Callable[[Mapping[str, Any]], None]) -> None:
        self.events.append(call)

    def on_started(self, call: Any) -> None:
        self.started = call

    async def ensure(self) -> None:
        await self.there.wait()

    async def ask(self, do: str, *, timeout_s: float = 5.0, **fields: Any) -> dict[str, Any]:
        self.asked.append((do, str(fields.get("camera"))))
        if do == "wait_up":
            await self.may_answer.wait()
            return {"up": fields["camera"] not in self.dark}
        return {}

    async def close(self) -> None:
        self.connected = False


class FakeLink:
    """A worker that does as it is told."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.asked: list[str] = []
        self.gone = False

    async def ask(self, do: str, *, timeout_s: float = 5.0, **fields: Any) -> dict[str, Any]:
        del timeout_s, fields
        if self.gone:
            raise Blocked(f"The worker of {self.name} is not running.", code="worker_gone")
        self.asked.append(do)
        return {}


class FakeCamera(SimpleNamespace):
    """A camera that runs."""

    @classmethod
    def make(cls, number: int) -> FakeCamera:
        ready = anyio.Event()
        ready.set()
        name = f"cam{number}"
        return cls(
            id=number, name=name, key=f"camera_{number}", link=FakeLink(name), ready=ready,
            status={"state": "running"}, state="running", last_error=None,
        )  # fmt: skip
