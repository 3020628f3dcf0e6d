"""Encoded frames, read from and written to feeds."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import NamedTuple

from touchline.ipc import wire
from touchline.media.h264.codec import Codec


class LiveFrame(NamedTuple):
    """One coded picture in AVC form (units with lengths, decoder configuration in `codec.avcc`).

    Times are CLOCK_MONOTONIC nanoseconds; `pts_ns` is the capture time. `broken` says that the
    frame does not continue the one before; it is then a keyframe.
    """

    data: bytes
    pts_ns: int
    dts_ns: int
    duration_ns: int
    keyframe: bool
    broken: bool
    codec: Codec


class FrameEncoder:
    """Encoder of frames for a feed, which contains the codec only when it has changed."""

    def __init__(self) -> None:
        self._codec: Codec | None = None

    def encode(self, frame: LiveFrame) -> bytes:
        """Encode the next frame of the feed."""
        changed = frame.codec != self._codec
        self._codec = frame.codec
        head = wire.FeedHead(
            pts_ns=frame.pts_ns,
            dts_ns=frame.dts_ns,
            duration_ns=frame.duration_ns,
            keyframe=frame.keyframe,
            broken=frame.broken,
            skipped=0,
            data_bytes=len(frame.data),
            codec=frame.codec if changed else None,
        )
        return wire.encode_feed_head(head) + frame.data


async def read_frames(reader: asyncio.StreamReader) -> AsyncIterator[tuple[LiveFrame, int]]:
    """Yield the frames of a feed, and how many were dropped before each.

    Raises IncompleteReadError at its end, and ValueError for invalid data.
    """
    codec = Codec(0, 0, b"")
    while True:
        raw = await reader.readexactly(wire.FEED_HEAD.size)
        head, avcc_bytes = wire.decode_feed_head(raw)
        if head.codec is not None:
            codec = head.codec._replace(avcc=await reader.readexactly(avcc_bytes))
        frame = LiveFrame(
            data=await reader.readexactly(head.data_bytes),
            pts_ns=head.pts_ns,
            dts_ns=head.dts_ns,
            duration_ns=head.duration_ns,
            keyframe=head.keyframe,
            broken=head.broken,
            codec=codec,
        )
        yield frame, head.skipped
