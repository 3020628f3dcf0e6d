from __future__ import annotations

import socket
import time
from collections.abc import Iterator
from itertools import islice
from pathlib import Path

import pytest

from support.codedcamera import HEIGHT, WIDTH, coded_frames
from touchline.ipc import wire
from touchline.live.frames.frame import FrameEncoder
from touchline.studio.pictures.receiving import KEPT_SHOTS, Receiver

WITHIN_S = 30.0


@pytest.fixture
def receiver(tmp_path: Path) -> Iterator[Receiver]:
    made = Receiver(tmp_path, "studio")
    yield made
    made.close()


def connected(folder: Path, camera: str) -> socket.socket:
    """A camera's worker that has said who it is."""
    feed = socket.socket(socket.AF_UNIX)
    feed.connect(str(folder / "studio.sock"))
    feed.sendall(wire.encode({"camera": camera}))
    return feed


def until(receiver: Receiver, camera: str, count: int) -> list[int]:
    deadline_s = time.monotonic() + WITHIN_S
    while len(receiver.waiting(camera)) < count:
        assert time.monotonic() < deadline_s
        receiver.wait(0.05)
    return [shot.at_ns for shot in receiver.waiting(camera)]


def test_pictures_of_each_camera_come_decoded_at_their_times(
    receiver: Receiver, tmp_path: Path
) -> None:
    for camera in ("cam0", "cam1"):
        encoder, sent = FrameEncoder(), list(islice(coded_frames(), 5))
        with connected(tmp_path, camera) as feed:
            for frame in sent:
                feed.sendall(encoder.encode(frame))
            found = until(receiver, camera, 4)
        assert found == [frame.pts_ns for frame in sent][: len(found)]
        assert receiver.sizes[camera] == (WIDTH, HEIGHT)
        assert camera in receiver.colours


def test_the_newest_are_kept_for_a_reader_that_is_slow(receiver: Receiver, tmp_path: Path) -> None:
    encoder, sent = FrameEncoder(), list(islice(coded_frames(), 30))
    with connected(tmp_path, "cam0") as feed:
        for frame in sent:
            feed.sendall(encoder.encode(frame))
        deadline_s = time.monotonic() + WITHIN_S
        while until(receiver, "cam0", KEPT_SHOTS)[-1] < sent[-3].pts_ns:
            assert time.monotonic() < deadline_s
            receiver.wait(0.05)
    assert len(receiver.waiting("cam0")) == KEPT_SHOTS


def test_a_feed_that_makes_no_sense_ends_alone(receiver: Receiver, tmp_path: Path) -> None:
    for nonsense in (b"\xff" * 4096 + b"\n", b'{"name": 1}\n', b'{"camera": "cam9"}\n' + b"x" * 99):
        with socket.socket(socket.AF_UNIX) as feed:
            feed.connect(str(tmp_path / "studio.sock"))
            feed.sendall(nonsense)
    encoder = FrameEncoder()
    with connected(tmp_path, "cam0") as feed:
        for frame in islice(coded_frames(), 3):
            feed.sendall(encoder.encode(frame))
        assert until(receiver, "cam0", 2)


def test_nobody_waits_for_a_receiver_that_is_closed(tmp_path: Path) -> None:
    receiver = Receiver(tmp_path, "studio")
    receiver.close()
    began_s = time.monotonic()
    receiver.wait(WITHIN_S)
    assert time.monotonic() - began_s < WITHIN_S / 2
    assert receiver.waiting("cam0") == []
