"""A camera and the worker that it meets, which an earlier version may have left."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from pydantic import TypeAdapter

from touchline.capture.cameras.answers import CameraStatus
from touchline.capture.cameras.cameras import Camera
from touchline.capture.settings.tree import CaptureSettings
from touchline.capture.sources.rtsp import RtspSource
from touchline.ipc import wire

pytestmark = pytest.mark.anyio

ORDER = {"match_id": "m1"}
OLD_SPEC = {"kind": "rtsp", "source": [{"factory": "rtspsrc", "properties": {}}]}


class Listener:
    async def camera_connected(self, camera: Camera, hello: Mapping[str, Any]) -> None:
        pass

    def camera_event(self, camera: Camera, event: Mapping[str, Any]) -> None:
        pass

    def camera_lost(self, camera: Camera, reason: str) -> None:
        pass


class Asked:
    """Stands in for the worker at the other end of the link."""

    def __init__(self) -> None:
        self.what: list[str] = []
        self.specs: list[Any] = []

    async def ask(self, do: str, **fields: Any) -> dict[str, Any]:
        self.what.append(do)
        if "spec" in fields:
            self.specs.append(fields["spec"])
        return {}


def camera(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> tuple[Camera, Asked]:
    made = Camera(
        0,
        RtspSource(kind="rtsp", url="rtsp://10.0.0.1/"),
        CaptureSettings(),
        runtime_dir=tmp_path,
        log_dir=tmp_path,
        listener=Listener(),
    )
    asked = Asked()
    monkeypatch.setattr(made.link, "ask", asked.ask)
    return made, asked


def hello(*, parts: bool, order: Any = None, spec: Any = None) -> dict[str, Any]:
    said = {"elements": list(wire.PROBED_ELEMENTS), "order": order, "spec": spec}
    return {**said, "parts": list(wire.PARTS)} if parts else said


async def test_an_idle_worker_of_an_earlier_version_is_replaced(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, asked = camera(tmp_path, monkeypatch)
    await made._handle_connected(hello(parts=False))
    assert asked.what == ["quit"]


async def test_a_worker_of_an_earlier_version_records_on_and_keeps_its_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, asked = camera(tmp_path, monkeypatch)
    await made._handle_connected(hello(parts=False, order=ORDER, spec=OLD_SPEC))
    await made.stop(0, 1.0)
    assert asked.what == ["status", "stop"]


async def test_a_changed_pipeline_comes_after_the_recording(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, asked = camera(tmp_path, monkeypatch)
    await made._handle_connected(hello(parts=True, order=ORDER, spec=OLD_SPEC))
    await made.stop(0, 1.0)
    await made.stop(0, 1.0)
    assert asked.what == ["status", "stop", "configure", "stop"]
    assert asked.specs[0]["rtsp"]["url"] == "rtsp://10.0.0.1/"


async def test_a_camera_that_is_tried_again_says_so_in_each_state_of_the_attempt(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = camera(tmp_path, monkeypatch)
    assert made.to_json()["recovering"] is False
    for state in ("starting", "retrying"):
        made.status = {"state": state, "recovering": True}
        assert made.to_json()["recovering"] is True
    made.status = {"state": "running", "recovering": False}
    assert made.to_json()["recovering"] is False


async def test_a_camera_whose_worker_has_said_nothing_has_every_documented_field(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, _ = camera(tmp_path, monkeypatch)
    made.status = {}
    told = TypeAdapter(CameraStatus).validate_json(json.dumps(made.to_json()), strict=True)
    assert (told["fps"], told["bitrate_bps"], told["dropped"]) == (0.0, 0, {})
    made.status = {"state": "running", "fps": 25.0, "width": 1920}
    told = TypeAdapter(CameraStatus).validate_json(json.dumps(made.to_json()), strict=True)
    assert told["fps"] == 25.0
    assert {"width": 1920}.items() <= told.items(), "what else a worker says is passed on"


async def test_an_idle_worker_gets_its_pipeline(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, asked = camera(tmp_path, monkeypatch)
    await made._handle_connected(hello(parts=True))
    assert asked.what == ["configure", "status"]
