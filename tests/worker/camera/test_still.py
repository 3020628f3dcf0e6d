from __future__ import annotations

from support.coded import CODEC, frames
from touchline.media.h264.units import annex_b
from touchline.worker.camera.still import StillOutlet, still_bytes


def test_the_first_keyframe_is_taken_and_no_other() -> None:
    taken: list[int] = []
    outlet = StillOutlet(lambda: taken.append(1))
    sent = frames(7, gop=3)
    for frame in sent[1:]:
        outlet.push(frame)
        outlet.interrupted("the camera was away")
    assert outlet.frame == sent[3]
    assert taken == [1]


def test_a_still_can_be_decoded_by_itself() -> None:
    (frame,) = frames(1, gop=1, size_bytes=8)
    unit = b"\0\0\0\4\x65abc"
    found = still_bytes(frame._replace(data=unit))
    assert found == annex_b(unit, CODEC)
    assert found.startswith(b"\0\0\0\1\x67")  # the parameter sets come first
    assert found.endswith(b"\0\0\0\1\x65abc")
