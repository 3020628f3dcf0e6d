"""The ledger of the simulated camera."""

from __future__ import annotations

from support.rawclient import connected, wait_until
from support.rtsp import camera_in_thread
from touchline.sim.rtsp.ledger import decodable


def test_the_ledger_holds_what_was_written() -> None:
    with camera_in_thread() as camera, connected(camera) as client:
        client.play()
        client.frames(10)
        wait_until(lambda: len(camera.ledger.entries("frame")) >= 10, "ten frames in the ledger")
        frames = decodable(camera.ledger.entries(), client=1)
        methods = [entry["method"] for entry in camera.ledger.entries("request")]
    counters = [frame["counter"] for frame in frames[:10]]
    assert counters == list(range(counters[0], counters[0] + 10))
    assert frames[0]["keyframe"]
    assert methods == ["SETUP", "PLAY"]
