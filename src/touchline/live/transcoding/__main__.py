"""The program that transcodes one camera so that its pictures are not reordered.

Standard input is a socket: it receives a feed of the camera's frames and sends one of frames in
presentation order (`ipc.wire` describes the format). A frame without data requests a keyframe. The
program ends with the connection, and runs at a lower priority than recorders.
"""

from __future__ import annotations

import argparse
import contextlib
import logging
import os
import sys
import threading
from collections import deque
from typing import BinaryIO

from touchline.ipc import wire
from touchline.ipc.stderrlog import open_log
from touchline.ipc.threads import watched
from touchline.live.frames.frame import FrameEncoder, LiveFrame
from touchline.live.transcoding.process import CANNOT
from touchline.live.transcoding.recoder import CannotDecode, Decoder, LiveEncoder
from touchline.media.h264.codec import Codec

log = logging.getLogger("touchline.live.transcoding")

NICENESS = 10
BEHIND_FRAMES = 8
"""If more frames than this are waiting, pictures are skipped, to keep the delay short."""
AT_LEAST_EVERY_NS = 200_000_000
"""Maximum time between pictures when skipping: five a second even on an overloaded machine."""
WAITING_BYTES = 16 << 20
WAITING_FRAMES = 120
"""If more frames than this are waiting, decoding continues at the newest keyframe."""


class Inlet:
    """Reads frames on a separate thread, so that the number of waiting frames is known."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._frames: deque[LiveFrame] = deque()
        self._bytes = 0
        self._keyframe = False
        self._ended = False
        self._changed = threading.Condition()
        watched(self._read, name="inlet", died=lambda _: self._end()).start()

    @property
    def waiting(self) -> int:
        """Number of frames received but not yet taken."""
        return len(self._frames)

    def take(self) -> LiveFrame | None:
        """Wait for the next frame and return it; None at the end."""
        with self._changed:
            while not self._frames and not self._ended:
                self._changed.wait()
            if self._ended:
                return None
            if len(self._frames) > WAITING_FRAMES:
                self._skip_to_keyframe()
            frame = self._frames.popleft()
            self._bytes -= len(frame.data)
            self._changed.notify_all()
            return frame

    def _skip_to_keyframe(self) -> None:
        """Drop the frames before the newest keyframe, if there is one."""
        newest = max((n for n, each in enumerate(self._frames) if each.keyframe), default=0)
        for _ in range(newest):
            self._bytes -= len(self._frames.popleft().data)
        if newest:
            self._frames[0] = self._frames[0]._replace(broken=True)

    def keyframe_wanted(self) -> bool:
        """Return whether a keyframe was requested since the last call."""
        with self._changed:
            wanted, self._keyframe = self._keyframe, False
        return wanted

    def _read(self) -> None:
        try:
            codec = Codec(0, 0, b"")
            while raw := self._file.read(wire.FEED_HEAD.size):
                head, avcc_bytes = wire.decode_feed_head(raw)
                if head.codec is not None:
                    codec = head.codec._replace(avcc=self._file.read(avcc_bytes))
                data = self._file.read(head.data_bytes)
                self._put(head, data, codec)
        except (OSError, ValueError) as error:
            log.warning("closing the camera's feed: %s", error)
        self._end()

    def _end(self) -> None:
        with self._changed:
            self._ended = True
            self._changed.notify_all()

    def _put(self, head: wire.FeedHead, data: bytes, codec: Codec) -> None:
        with self._changed:
            if not data:
                self._keyframe = True
                return
            while self._bytes > WAITING_BYTES:
                self._changed.wait()
            frame = LiveFrame(
                data,
                head.pts_ns,
                head.dts_ns,
                head.duration_ns,
                head.keyframe,
                head.broken,
                codec,
            )
            self._frames.append(frame)
            self._bytes += len(data)
            self._changed.notify_all()


class TranscoderOutlet:
    """Writes frames to the live process."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file
        self._encoder = FrameEncoder()

    def put(self, frame: LiveFrame) -> None:
        """Send one frame. Raises OSError when the reader has gone."""
        self._file.write(self._encoder.encode(frame))
        self._file.flush()


def transcode(inlet: Inlet, outlet: TranscoderOutlet) -> None:
    """Transcode every picture, in presentation order, until the feed ends. Raises CannotDecode."""
    decoder, encoder = Decoder(), LiveEncoder()
    wanted, newest_ns = False, 0
    while (frame := inlet.take()) is not None:
        behind = inlet.waiting > BEHIND_FRAMES
        for picture in decoder.decode(frame, hurry=behind):
            wanted = wanted or inlet.keyframe_wanted()
            at_ns = picture.pts or 0
            if inlet.waiting > BEHIND_FRAMES and at_ns - newest_ns < AT_LEAST_EVERY_NS:
                continue
            newest_ns = at_ns
            coded = encoder.encode(
                picture, duration_ns=frame.duration_ns, keyframe=wanted, aspect=decoder.aspect
            )
            wanted = False
            if coded is not None:
                outlet.put(coded)


def main() -> int:
    """Run the transcoder and return its exit status."""
    parser = argparse.ArgumentParser(prog="touchline.live.transcoding", description=__doc__)
    parser.add_argument("--name", required=True, help="the camera, for the log")
    arguments = parser.parse_args()
    open_log(f"transcoder of {arguments.name}")
    os.nice(NICENESS)
    with contextlib.suppress(OSError):  # containers may forbid it; the nice value is enough then
        os.sched_setscheduler(0, os.SCHED_BATCH, os.sched_param(0))
    with (
        open(0, "rb", buffering=1 << 20, closefd=False) as source,
        open(0, "wb", closefd=False) as sink,
    ):
        try:
            transcode(Inlet(source), TranscoderOutlet(sink))
        except CannotDecode as error:
            log.error("%s", error)
            return CANNOT
        except (BrokenPipeError, ConnectionResetError):
            log.info("the live process accepts no more frames")
    return 0


if __name__ == "__main__":
    sys.exit(main())
