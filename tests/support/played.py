"""The live process and the preview, played: what sessions of viewers are told and ask."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import anyio

from touchline.core.errors import Blocked, TouchlineError

ANSWER = "v=0\r\nm=audio 0 X 0\r\nm=video 9 X 96\r\na=candidate:1 1 udp 1 192.0.2.1 5 typ host\r\n"
ICE = [{"urls": ["turn:turn.example:3478"], "username": "u", "credential": "c"}]


class PlayedLive:
    """What the live process would answer, and what it was asked."""

    def __init__(self) -> None:
        self.asked: list[tuple[str, dict[str, Any]]] = []
        self.refuses: dict[str, TouchlineError] = {}
        self.tell: Callable[[Mapping[str, Any]], None] = lambda _: None
        self.before_reply: Callable[[], None] = lambda: None
        self._number = 0

    def on_event(self, call: Callable[[Mapping[str, Any]], None]) -> None:
        self.tell = call

    async def ask(self, do: str, *, timeout_s: float = 5.0, **fields: Any) -> dict[str, Any]:
        await anyio.lowlevel.checkpoint()
        self.asked.append((do, fields))
        if do in self.refuses:
            raise self.refuses[do]
        self._number += 1
        replies = {
            "webrtc_start": {"session": f"s{self._number}"},
            "webrtc_offer": {"sdp": ANSWER, "ice_username": "abcd"},
        }
        self.before_reply()
        return replies.get(do, {})


class PlayedPreview:
    """Counts viewers, as the preview does."""

    webrtc_supported = True

    def __init__(self) -> None:
        self.live = PlayedLive()
        self.viewers: list[int] = []
        self.refuses: TouchlineError | None = None

    def ice_servers(self) -> list[dict[str, Any]]:
        return ICE

    async def join(self, camera_id: int, what: str) -> int:
        if self.refuses is not None:
            raise self.refuses
        self.viewers.append(camera_id)
        return camera_id

    async def leave(self, viewer: int) -> None:
        self.viewers.remove(viewer)


class PlayedPanorama:
    """A panorama of cameras that nobody has calibrated."""

    async def join(self, viewer: str) -> None:
        del viewer
        raise Blocked("Panorama not calibrated", code="panorama_not_calibrated")
