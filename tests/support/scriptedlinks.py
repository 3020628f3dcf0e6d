"""Links to a camera's worker and to the live process, which answer as a test says."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from types import SimpleNamespace
from typing import Any

from touchline.core.errors import TouchlineError

Answer = Mapping[str, Any] | TouchlineError | Callable[..., Mapping[str, Any]]


class ScriptedLink:
    """Answers each request by its name: a reply, an error to raise, or a function of its fields."""

    def __init__(self, **answers: Answer) -> None:
        self.answers: dict[str, Answer] = dict(answers)
        self.asked: list[str] = []
        self.fields: dict[str, Mapping[str, Any]] = {}
        """The fields of the last request of each name."""

    async def ask(self, do: str, *, timeout_s: float = 5.0, **fields: Any) -> dict[str, Any]:
        del timeout_s
        self.asked.append(do)
        self.fields[do] = fields
        answer = self.answers.get(do, {})
        if isinstance(answer, TouchlineError):
            raise answer
        return dict(answer(**fields) if callable(answer) else answer)


class ScriptedLive(ScriptedLink):
    """The live process: it is there at once, and tells what a test has it tell."""

    def __init__(self, **answers: Answer) -> None:
        super().__init__(**answers)
        self.connected = True
        self.feed_path = Path("/run/live-feed.sock")
        self.cannot_start: TouchlineError | None = None
        self._on_event: list[Callable[[Mapping[str, Any]], None]] = []
        self._on_started: list[Callable[[], Any]] = []

    def on_event(self, call: Callable[[Mapping[str, Any]], None]) -> None:
        self._on_event.append(call)

    def on_started(self, call: Callable[[], Any]) -> None:
        self._on_started.append(call)

    async def ensure(self) -> None:
        if self.cannot_start is not None:
            raise self.cannot_start
        for call in self._on_started:
            await call()

    def tell(self, event: str, **fields: Any) -> None:
        for call in self._on_event:
            call({"event": event, **fields})


def scripted_camera(number: int, **answers: Answer) -> Any:
    """A camera whose worker answers so."""
    return SimpleNamespace(id=number, name=f"cam{number}", link=ScriptedLink(**answers))
