from __future__ import annotations

import subprocess
from pathlib import Path

import av
import pytest

from support.coded import encoded
from support.frames import counters
from touchline.ipc.tee import Frame
from touchline.media import mpegts
from touchline.media.h264.codec import Codec
from touchline.media.mp4.sample import ticks


def timed(frames: list[Frame], early_ticks: int = 0) -> list[mpegts.TimedFrame]:
    base = frames[0].dts_ns
    return [
        mpegts.TimedFrame(
            f.data,
            ticks(f.pts_ns - base) + early_ticks,
            ticks(f.dts_ns - base),
            f.keyframe,
        )
        for f in frames
    ]


@pytest.mark.parametrize("bframes", [0, 2])
def test_every_frame_is_decoded_at_its_time(tmp_path: Path, bframes: int) -> None:
    frames = encoded(50, gop=25, bframes=bframes)
    path = tmp_path / "one.ts"
    path.write_bytes(mpegts.segment(frames[0].codec, timed(frames), number=1))
    assert counters(path) == list(range(50))
    with av.open(str(path)) as file:
        shown = [f.pts for f in file.decode(video=0)]
    expected = sorted(ticks(f.pts_ns - frames[0].dts_ns) for f in frames)
    assert shown == [at + mpegts.START_TICKS for at in expected]


def test_segments_follow_on_without_an_error(tmp_path: Path) -> None:
    frames = encoded(50, gop=25)
    parts = timed(frames)
    codec = frames[0].codec
    path = tmp_path / "both.ts"
    path.write_bytes(
        mpegts.segment(codec, parts[:25], number=1) + mpegts.segment(codec, parts[25:], number=2)
    )
    command = ["ffmpeg", "-v", "debug", "-i", str(path), "-f", "null", "-"]
    said = subprocess.run(command, capture_output=True, text=True, check=True).stderr
    assert "Continuity check failed" not in said
    assert "corrupt" not in said.lower()
    assert counters(path) == list(range(50))


def test_each_packet_counts_on_and_a_segment_fills_sixteen_times() -> None:
    frames = encoded(10, gop=10)
    data = mpegts.segment(frames[0].codec, timed(frames), number=3)
    assert len(data) % mpegts.PACKET_BYTES == 0
    packets = [data[at : at + 188] for at in range(0, len(data), 188)]
    assert all(packet[0] == 0x47 for packet in packets)
    video = [p[3] & 15 for p in packets if (p[1] & 0x1F) << 8 | p[2] == 0x100]
    assert video == [n & 15 for n in range(len(video))]
    assert len(video) % 16 == 0
    assert [p[3] & 15 for p in packets[:2]] == [3, 3]


def test_a_damaged_frame_is_refused() -> None:
    frame = mpegts.TimedFrame(b"\0\0\xff\xff\x65", 0, 0, keyframe=True)
    with pytest.raises(ValueError, match="longer than its frame"):
        mpegts.segment(Codec(320, 180, b"\1\x64\0\x1f\xff\xe0\0"), [frame], number=1)
