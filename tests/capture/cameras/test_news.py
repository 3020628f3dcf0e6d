"""News of cameras reach everybody who asked for them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, cast

import pytest

from touchline.capture.cameras.cameras import Camera
from touchline.capture.cameras.news import CameraNews


class Numbered:
    id = 3


CAMERA = cast("Camera", Numbered())


class Follower:
    def __init__(self, name: str, told: list[tuple[str, str]]) -> None:
        self._name = name
        self._told = told

    async def connected(self, camera: Camera, hello: Mapping[str, Any]) -> None:
        self._told.append((self._name, f"{camera.id} is {hello['pid']}"))

    def event(self, _camera: Camera, event: Mapping[str, Any]) -> None:
        self._told.append((self._name, event["event"]))

    def lost(self, _camera: Camera, reason: str) -> None:
        self._told.append((self._name, reason))


@pytest.mark.anyio
async def test_everybody_is_told_in_the_order_in_which_they_asked() -> None:
    told: list[tuple[str, str]] = []
    news = CameraNews()
    for name in ("first", "second"):
        follower = Follower(name, told)
        news.on_connected(follower.connected)
        news.on_event(follower.event)
        news.on_lost(follower.lost)
    await news.camera_connected(CAMERA, {"pid": 7})
    news.camera_event(CAMERA, {"event": "status"})
    news.camera_lost(CAMERA, "it was killed")
    said = ["3 is 7", "status", "it was killed"]
    assert told == [(name, what) for what in said for name in ("first", "second")]


class Observer:
    def __init__(self, told: list[tuple[str, str]]) -> None:
        self._told = told

    def camera_connected(self, camera: Camera, hello: Mapping[str, Any]) -> None:
        self._told.append(("observer", f"{camera.id} is {hello['pid']}"))

    def camera_event(self, _camera: Camera, event: Mapping[str, Any]) -> None:
        self._told.append(("observer", event["event"]))

    def camera_lost(self, _camera: Camera, reason: str) -> None:
        self._told.append(("observer", reason))


@pytest.mark.anyio
async def test_an_observer_is_told_before_whoever_uses_the_cameras() -> None:
    told: list[tuple[str, str]] = []
    news, follower = CameraNews([Observer(told)]), Follower("follower", told)
    news.on_connected(follower.connected)
    news.on_event(follower.event)
    news.on_lost(follower.lost)
    await news.camera_connected(CAMERA, {"pid": 7})
    news.camera_event(CAMERA, {"event": "status"})
    news.camera_lost(CAMERA, "it was killed")
    said = ["3 is 7", "status", "it was killed"]
    assert told == [(name, what) for what in said for name in ("observer", "follower")]


@pytest.mark.anyio
async def test_what_a_worker_said_first_is_kept_for_the_adoption() -> None:
    news = CameraNews()
    await news.camera_connected(CAMERA, {"pid": 7, "order": {"match_id": "derby"}})
    await news.camera_connected(CAMERA, {"pid": 8, "order": None})
    assert news.hellos == {3: {"pid": 7, "order": {"match_id": "derby"}}}
