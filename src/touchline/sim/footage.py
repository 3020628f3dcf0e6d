"""Comparison of recorded pictures of a simulated camera with the originals.

Each picture is drawn again from its counter and compared block by block; the decoder conceals
nothing, so that missing parts of a picture are visible.
"""

from __future__ import annotations

from collections.abc import Sequence
from fractions import Fraction
from pathlib import Path
from typing import Any, NamedTuple

import av
import numpy as np
from av.video.reformatter import ColorRange
from numpy.typing import NDArray

from touchline.media.picture.testpicture import TestPicture, read_counter

_BLOCK = 16
_MOST_OFF = 8.0
"""Mean difference in a block's brightness beyond what encoding causes."""
_CLOCK_ROW = 17 / 20
"""The wall clock is drawn below; its original value is unknown."""


class DecodedPicture(NamedTuple):
    """One decoded picture."""

    counter: int | None
    """None where it cannot be read."""
    intact: bool
    size: tuple[int, int]


def pictures(
    path: Path,
    *,
    name: str = "SIMULATED",
    rates: Sequence[Fraction | int] = (30,),
    drawn: tuple[int, int] | None = None,
) -> list[DecodedPicture]:
    """Yield the decoded pictures of a file; `rates` are the frame rates of cameras by name.

    `drawn` is the size of the camera's picture if the recorder crops it on the right or below.
    Raises OSError or av.FFmpegError for a file that cannot be opened at all.
    """
    painters: dict[tuple[int, int], list[TestPicture]] = {}
    found: list[DecodedPicture] = []
    with av.open(str(path)) as container:
        stream = container.streams.video[0]
        stream.codec_context.options = {"ec": "0"}
        stream.codec_context.thread_count = 1
        for packet in container.demux(stream):
            for frame in _decode_packet(packet, found):
                size = drawn or (frame.width, frame.height)
                if size not in painters:
                    ratios = [Fraction(rate).as_integer_ratio() for rate in rates]
                    painters[size] = [
                        TestPicture(name, size[0], size[1], *ratio) for ratio in ratios
                    ]
                found.append(_compare(frame, painters[size]))
    return found


def intact_counters(
    paths: Sequence[Path], *, name: str = "SIMULATED", rates: Sequence[Fraction | int] = (30,)
) -> list[int]:
    """Return the counters of all undamaged pictures of some files, in presentation order."""
    return [
        shown.counter
        for path in paths
        for shown in pictures(path, name=name, rates=rates)
        if shown.intact and shown.counter is not None
    ]


def _decode_packet(packet: Any, found: list[DecodedPicture]) -> list[Any]:
    try:
        return list(packet.decode())
    except av.error.InvalidDataError:
        found.append(DecodedPicture(None, intact=False, size=(0, 0)))
        return []


def _compare(frame: Any, painters: list[TestPicture]) -> DecodedPicture:
    if frame.color_range == ColorRange.JPEG:  # of a camera that sends JPEG; drawn is the other
        frame = frame.reformat(
            format="yuv420p", src_color_range=ColorRange.JPEG, dst_color_range=ColorRange.MPEG
        )
    width, height = frame.width, frame.height
    plane = frame.planes[0]
    rows = np.frombuffer(plane, np.uint8).reshape(-1, plane.line_size)[:height, :width]
    painter = painters[0]
    luma = np.zeros((painter.height, painter.width), np.uint8)
    luma[:height, :width] = rows
    counter = read_counter(luma.tobytes(), painter.width, painter.height)
    if counter is None:
        return DecodedPicture(None, intact=False, size=(width, height))
    alike = any(_alike(luma, one, counter, (width, height)) for one in painters)
    return DecodedPicture(counter, intact=alike, size=(width, height))


def _alike(
    luma: NDArray[np.uint8], painter: TestPicture, counter: int, seen: tuple[int, int]
) -> bool:
    """Return whether the decoded picture equals the drawn one."""
    height, width = luma.shape
    drawn = painter.frame(counter, 0.0)
    wanted = np.frombuffer(drawn, np.uint8, width * height).reshape(height, width)
    off = np.abs(luma.astype(np.int16) - wanted)
    off[int(height * _CLOCK_ROW) :, : width // 2] = 0
    off[seen[1] :], off[:, seen[0] :] = 0, 0
    tall, wide = height // _BLOCK * _BLOCK, width // _BLOCK * _BLOCK
    blocks = off[:tall, :wide].reshape(tall // _BLOCK, _BLOCK, wide // _BLOCK, _BLOCK)
    return bool(blocks.mean(axis=(1, 3)).max() < _MOST_OFF)
