"""Coded frames as they come from a camera: real H.264 from x264, or bytes in its shape."""

from __future__ import annotations

import json
import struct
import subprocess
from dataclasses import dataclass, field
from fractions import Fraction
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

from touchline.ipc.tee import Frame
from touchline.media.h264.codec import Codec
from touchline.media.picture.testpicture import TestPicture

CODEC = Codec(320, 180, bytes.fromhex("0164001fffe1000467640a1f010002680f"))
OTHER_CODEC = Codec(640, 360, CODEC.avcc)
START_NS = 1_000_000_000_000
FRAME_NS = 40_000_000


@dataclass
class Take:
    """An outlet that keeps what it is given."""

    frames: list[Frame] = field(default_factory=list)
    breaks: list[str] = field(default_factory=list)

    def push(self, frame: Frame) -> None:
        self.frames.append(frame)

    def interrupted(self, reason: str) -> None:
        self.breaks.append(reason)


def frames(count: int, *, gop: int, size_bytes: int = 500, start_ns: int = START_NS) -> list[Frame]:
    """Frames without B-frames at 25 a second; each holds its own number."""
    return [
        Frame(
            data=struct.pack(">I", n) * (size_bytes // 4),
            pts_ns=start_ns + n * FRAME_NS,
            dts_ns=start_ns + n * FRAME_NS,
            duration_ns=FRAME_NS,
            keyframe=n % gop == 0,
            codec=CODEC,
        )
        for n in range(count)
    ]


def number_of(frame: Frame) -> int:
    """What `frames` wrote into it."""
    number: int = struct.unpack_from(">I", frame.data)[0]
    return number


@lru_cache(maxsize=8)
def encoded(count: int, *, gop: int, bframes: int = 0, start_ns: int = START_NS) -> list[Frame]:
    """The simulated camera's pictures 0, 1, … at 25 a second, in real H.264 in decode order."""
    width, height, rate = 320, 180, Fraction(25)
    drawn = TestPicture("coded", width, height, rate.numerator, rate.denominator)
    raw = b"".join(bytes(drawn.frame(n, 0.0)) for n in range(count))
    with TemporaryDirectory() as folder:
        path = Path(folder, "coded.mp4")
        command = [
            *("ffmpeg", "-nostdin", "-loglevel", "error", "-f", "rawvideo", "-pix_fmt", "yuv420p"),
            *("-s", f"{width}x{height}", "-r", str(rate), "-i", "-", "-c:v", "libx264"),
            *("-preset", "ultrafast", "-bf", str(bframes), "-g", str(gop), "-threads", "1"),
            *("-x264-params", f"scenecut=0:open-gop=0:b-adapt=0:keyint_min={gop}", str(path)),
        ]
        subprocess.run(command, input=raw, check=True)
        codec = Codec(width, height, _extradata(path))
        data = path.read_bytes()
        packets = _packets(path)
    first_pts = min(float(p["pts_time"]) for p in packets)
    shown = [start_ns + round((float(p["pts_time"]) - first_pts) * 1e9) for p in packets]
    decoded = [start_ns + round((float(p["dts_time"]) - first_pts) * 1e9) for p in packets]
    return [
        Frame(
            data=data[int(p["pos"]) : int(p["pos"]) + int(p["size"])],
            pts_ns=pts_ns,
            dts_ns=dts_ns,
            duration_ns=FRAME_NS,
            keyframe="K" in p["flags"],
            codec=codec,
        )
        for p, pts_ns, dts_ns in zip(packets, shown, decoded, strict=True)
    ]


def _packets(path: Path) -> list[dict[str, str]]:
    command = ["ffprobe", "-loglevel", "error", "-show_packets", "-of", "json", str(path)]
    answer = subprocess.run(command, capture_output=True, check=True)
    found: list[dict[str, str]] = json.loads(answer.stdout)["packets"]
    return found


def _extradata(path: Path) -> bytes:
    data = path.read_bytes()
    at = data.index(b"avcC")
    (size,) = struct.unpack_from(">I", data, at - 4)
    return data[at + 4 : at - 4 + size]
