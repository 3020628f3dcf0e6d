from __future__ import annotations

import socket
import threading
from itertools import islice
from pathlib import Path
from typing import Any

import cv2
import pytest

from support.codedcamera import HEIGHT, WIDTH, coded_frames
from touchline.ipc import wire
from touchline.live.frames.frame import FrameEncoder
from touchline.studio.errors import StudioError
from touchline.studio.verbs import capture


class Cameras:
    """Cameras that send some frames as soon as the studio listens."""

    def __init__(self, folder: Path, behind_ms: dict[str, float]) -> None:
        self._folder = folder
        self._behind_ms = behind_ms
        self._feeds: list[socket.socket] = []
        self._sent = list(islice(coded_frames(), 6))

    def tell(self, progress: Any) -> None:
        assert progress == {"listening": True}
        for camera, behind_ms in self._behind_ms.items():
            feed = socket.socket(socket.AF_UNIX)
            self._feeds.append(feed)
            feed.connect(str(self._folder / "pair.sock"))
            feed.sendall(wire.encode({"camera": camera}))
            encoder, by_ns = FrameEncoder(), round(behind_ms * 1e6)
            for each in self._sent:
                frame = each._replace(pts_ns=each.pts_ns + by_ns, dts_ns=each.dts_ns + by_ns)
                feed.sendall(encoder.encode(frame))

    def close(self) -> None:
        for each in self._feeds:
            each.close()


def captured(folder: Path, wait_s: float, **behind_ms: float) -> dict[str, Any]:
    cameras = Cameras(folder, behind_ms)
    spec = {
        "directory": str(folder),
        "name": "pair",
        "files": [str(folder / f"cam{number}.png") for number in range(2)],
        "wait_s": wait_s,
    }
    try:
        return capture.run(spec, cameras.tell, threading.Event())
    finally:
        cameras.close()


def test_pictures_of_the_same_instant_are_written(tmp_path: Path) -> None:
    result = captured(tmp_path, 30.0, cam0=0.0, cam1=1.0)
    assert result["apart_ms"] == pytest.approx(1.0, abs=0.01)
    assert result["sizes"] == [[WIDTH, HEIGHT]] * 2
    assert (result["sharp"], len(result["sharpness"])) == (True, 2)
    for number in range(2):
        picture = cv2.imread(str(tmp_path / f"cam{number}.png"))
        assert picture is not None
        assert picture.shape == (HEIGHT, WIDTH, 3)


def test_a_camera_that_sends_nothing_is_named(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="cam1 sent no frames") as caught:
        captured(tmp_path, 0.5, cam0=0.0)
    assert caught.value.code == "no_pair"


def test_pictures_of_different_instants_are_no_pair(tmp_path: Path) -> None:
    with pytest.raises(StudioError, match="their times do not match"):
        captured(tmp_path, 3.0, cam0=0.0, cam1=5000.0)
