"""Who feeds a stream, and a feed's bytes."""

from __future__ import annotations

from support.codedbytes import CODEC
from touchline.ipc import wire
from touchline.live.frames.frame import LiveFrame
from touchline.live.frames.stream import CameraStream


class Writer:
    """What goes back to the worker."""

    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def write(self, data: bytes) -> None:
        self.written.append(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed


def fed(stream: CameraStream) -> Writer:
    writer = Writer()
    stream.attach(writer)
    return writer


def head(each: LiveFrame, *, codec: bool, skipped: int = 0) -> bytes:
    return (
        wire.encode_feed_head(
            wire.FeedHead(
                each.pts_ns, each.dts_ns, each.duration_ns, each.keyframe, each.broken, skipped,
                len(each.data), CODEC if codec else None,
            )
        )
        + each.data
    )  # fmt: skip
