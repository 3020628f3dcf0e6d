from __future__ import annotations

from itertools import pairwise

import pytest

from support.rtpcamera import encoded, packets
from touchline.ipc.tee import Frame
from touchline.worker.rtp import H264Stream

START_NS = 1_000_000_000_000
STEP_NS = 40_000_000
STREAMS = {
    "no B-frames": "keyint=20:bframes=0",
    "B-frames": "keyint=20:min-keyint=20:scenecut=0:bframes=2:b-adapt=0:b-pyramid=none",
    "referenced B-frames": "keyint=20:scenecut=0:bframes=3:b-adapt=0:b-pyramid=normal",
    "four slices and AUD": "keyint=20:bframes=3:slices=4:aud=1",
    "slices of a size": "keyint=20:bframes=2:slice-max-size=300",
    "fields": "keyint=20:bframes=0:tff=1:interlaced=1",
    "open GOP": "keyint=20:bframes=3:open-gop=1:scenecut=0",
}


@pytest.mark.parametrize("x264", STREAMS.values(), ids=STREAMS)
def test_access_units_come_out_as_the_encoder_made_them(x264: str) -> None:
    units = encoded(60, x264)
    frames: list[Frame] = []
    stream = H264Stream(90_000, [], frames.append)
    for n, sent in enumerate(packets(units, first_time=2**32 - 50_000)):
        for each in sent:
            stream.packet(each.pack(), START_NS + (n + 3) * STEP_NS)
    stream.flush()
    assert (stream.damaged, stream.packets_lost, stream.frames) == (0, 0, 60)
    for frame, unit in zip(frames, units, strict=True):
        assert frame.data == b"".join(
            len(nal).to_bytes(4, "big") + nal for nal in unit.nals if nal[0] & 31 not in {7, 8}
        )
    assert {b.dts_ns - a.dts_ns for a, b in pairwise(frames)} == {STEP_NS}
    assert all(frame.dts_ns <= frame.pts_ns for frame in frames)
