"""Coded frames of a simulated camera, made in the test's own process."""

from __future__ import annotations

import time
from collections.abc import Iterator
from fractions import Fraction
from functools import lru_cache
from itertools import count
from typing import NamedTuple

import av

from touchline.live.frames.frame import LiveFrame
from touchline.media.h264.codec import Codec
from touchline.media.h264.units import PPS, SPS
from touchline.media.picture.testpicture import TestPicture

WIDTH, HEIGHT, FPS = 320, 180, 30
GOP = 30
COUNTERS = 2 * GOP
FRAME_NS = 1_000_000_000 // FPS


class Coding(NamedTuple):
    """How the camera encodes."""

    b_frames: int = 0
    b_pyramid: bool = False
    open_gop: bool = False


PLAIN = Coding()


def coded_frames(coding: Coding = PLAIN) -> Iterator[LiveFrame]:
    """An endless stream of frames, captured from now on, a keyframe each second.

    The burnt-in counter begins anew every `COUNTERS` frames.
    """
    coded = _encode(COUNTERS, coding)
    began_ns = time.monotonic_ns()
    for n in count():
        frame = coded[n % COUNTERS]
        before_ns = began_ns + n // COUNTERS * COUNTERS * FRAME_NS
        yield frame._replace(pts_ns=before_ns + frame.pts_ns, dts_ns=before_ns + frame.dts_ns)


@lru_cache
def _encode(frames: int, coding: Coding) -> list[LiveFrame]:
    picture = TestPicture("TEST", WIDTH, HEIGHT, FPS)
    encoder = av.CodecContext.create("libx264", "w")
    encoder.width, encoder.height, encoder.pix_fmt = WIDTH, HEIGHT, "yuv420p"
    encoder.time_base = Fraction(1, FPS)
    encoder.options = {
        "preset": "ultrafast",
        **({} if coding.b_frames else {"tune": "zerolatency"}),
        "x264-params": (
            f"keyint={GOP}:min-keyint={GOP}:scenecut=0:bframes={coding.b_frames}:b-adapt=0"
            f":b-pyramid={'normal' if coding.b_pyramid else 'none'}"
            f":open-gop={coding.open_gop:d}:ref=4"
        ),
    }
    packets = []
    for n in range(frames):
        raw = av.VideoFrame(WIDTH, HEIGHT, "yuv420p")
        _fill(raw, picture.frame(n, n / FPS))
        raw.pts = n
        packets += encoder.encode(raw)
    packets += encoder.encode(None)
    units = [_units(bytes(packet)) for packet in packets]
    first = {unit[0] & 31: unit for unit in units[0]}
    avcc = _avcc(first[SPS], first[PPS])
    return [
        LiveFrame(
            data=b"".join(
                len(u).to_bytes(4, "big") + u for u in found if u[0] & 31 not in {SPS, PPS}
            ),
            pts_ns=(packet.pts or 0) * FRAME_NS,
            dts_ns=(packet.dts or 0) * FRAME_NS,
            duration_ns=FRAME_NS,
            keyframe=bool(packet.is_keyframe),
            broken=False,
            codec=Codec(WIDTH, HEIGHT, avcc),
        )
        for packet, found in zip(packets, units, strict=True)
    ]


def _fill(raw: av.VideoFrame, i420: bytes) -> None:
    at = 0
    for plane in raw.planes:
        width, height = plane.width, plane.height
        padding = bytes(plane.line_size - width)
        rows = [i420[at + n * width : at + (n + 1) * width] + padding for n in range(height)]
        plane.update(b"".join(rows))
        at += width * height


def _units(annex_b: bytes) -> list[bytes]:
    parts = annex_b.replace(b"\0\0\0\1", b"\0\0\1").split(b"\0\0\1")
    return [part for part in parts if part]


def _avcc(sps: bytes, pps: bytes) -> bytes:
    head = b"\x01" + sps[1:4] + b"\xff\xe1"
    return b"".join(
        (head, len(sps).to_bytes(2, "big"), sps, b"\x01", len(pps).to_bytes(2, "big"), pps)
    )
