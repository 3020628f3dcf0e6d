"""Decoding of reordered pictures, and encoding in presentation order."""

from __future__ import annotations

import logging
import struct
from collections.abc import Iterator
from fractions import Fraction
from typing import NamedTuple

import av
from av.codec.context import Flags
from av.video.frame import PictureType

from touchline.live.frames.frame import LiveFrame
from touchline.media.h264.codec import Codec
from touchline.media.h264.units import PPS, SPS, annex_b, configuration_record, split_annex_b

log = logging.getLogger(__name__)

MAX_PIXELS = 1280 * 720
"""Larger pictures are scaled down: this is for viewers, the recording is not affected."""
MAX_SOURCE_PIXELS = 8192 * 4352
KEYFRAME_EVERY_S = 2
PEAK_KBPS = 6000
CRF = 23
_TICKS = 1_000_000
_NANO = Fraction(1, 1_000_000_000)


class CannotDecode(Exception):
    """The camera's pictures cannot be transcoded."""


class Decoder:
    """Decodes a camera's frames to pictures in presentation order."""

    def __init__(self) -> None:
        self._context: av.VideoCodecContext | None = None
        self._codec: Codec | None = None
        self._from_ns = 0
        self._last_ns: int | None = None

    @property
    def aspect(self) -> Fraction | None:
        """The camera's pixel aspect ratio, if pixels are not square."""
        aspect = self._context.sample_aspect_ratio if self._context is not None else None
        return aspect if aspect and aspect != 1 else None

    def decode(self, frame: LiveFrame, *, hurry: bool) -> Iterator[av.VideoFrame]:
        """Decode the next frame; `hurry` skips frames that no other refers to.

        Raises CannotDecode if the pictures are too large.
        """
        context = self._context
        if frame.broken or frame.codec != self._codec or context is None:
            if not frame.keyframe:
                return
            context = self._begin(frame)
        context.skip_frame = "NONREF" if hurry else "DEFAULT"
        packet = av.Packet(annex_b(frame.data, _sets_of(frame)))
        packet.pts, packet.dts, packet.time_base = frame.pts_ns, frame.dts_ns, _NANO
        try:
            pictures = context.decode(packet)
        except av.FFmpegError as error:
            log.warning("a picture cannot be decoded: %s", error)
            return
        for picture in pictures:
            at_ns = picture.pts
            # Pictures shown before the first keyframe refer to pictures that were never received.
            if at_ns is None or at_ns < self._from_ns:
                continue
            if self._last_ns is None or at_ns > self._last_ns:
                self._last_ns = at_ns
                yield picture

    def _begin(self, keyframe: LiveFrame) -> av.VideoCodecContext:
        codec = keyframe.codec
        if codec.width * codec.height > MAX_SOURCE_PIXELS:
            raise CannotDecode(f"pictures of {codec.width}x{codec.height} are too large")
        context = av.CodecContext.create("h264", "r")
        context.thread_count = 2
        context.thread_type = "SLICE"  # frame threads would each delay a picture
        self._context, self._codec, self._from_ns = context, codec, keyframe.pts_ns
        return context


def _sets_of(frame: LiveFrame) -> Codec:
    """Return the parameter sets to put in front of a frame: those of a keyframe, else none."""
    codec = frame.codec
    return codec if frame.keyframe else codec._replace(avcc=codec.avcc[:5] + b"\xe0\0")


class EncoderShape(NamedTuple):
    """Parameters of an encoder."""

    width: int
    height: int
    frames_s: int
    aspect: Fraction | None


class LiveEncoder:
    """Encodes pictures as H.264 without B-frames, one frame for each picture at once."""

    def __init__(self) -> None:
        self._context: av.VideoCodecContext | None = None
        self._shape: EncoderShape | None = None
        self._codec = Codec(0, 0, b"")
        self._first_ns = 0

    def encode(
        self, picture: av.VideoFrame, *, duration_ns: int, keyframe: bool, aspect: Fraction | None
    ) -> LiveFrame | None:
        """Encode a picture at its own time; None if the encoder returns no frame."""
        at_ns = picture.pts or 0
        width, height = fitting(picture.width, picture.height)
        shape = EncoderShape(
            width, height, max(1, min(round(1e9 / max(duration_ns, 1)), 120)), aspect
        )
        context, anew = self._context, False
        if context is None or shape != self._shape:
            context, anew = self._open(shape), True
            self._first_ns = at_ns
        fitted = picture.reformat(width=width, height=height, format="yuv420p")
        fitted.pts = (at_ns - self._first_ns) * _TICKS // 1_000_000_000
        fitted.time_base = Fraction(1, _TICKS)
        fitted.pict_type = PictureType.I if keyframe else PictureType.NONE
        packets = context.encode(fitted)
        if not packets:
            return None
        data = b"".join(bytes(packet) for packet in packets)
        units = list(split_annex_b(data))
        sets = [unit for unit in units if unit[0] & 0x1F in {SPS, PPS}]
        if sets:
            self._codec = Codec(width, height, configuration_record(sets))
        coded = b"".join(
            struct.pack(">I", len(unit)) + unit
            for unit in units
            if unit[0] & 0x1F not in {SPS, PPS}
        )
        is_keyframe = any(packet.is_keyframe for packet in packets)
        return LiveFrame(coded, at_ns, at_ns, duration_ns, is_keyframe, anew, self._codec)

    def _open(self, shape: EncoderShape) -> av.VideoCodecContext:
        context = av.CodecContext.create("libx264", "w")
        context.width, context.height, context.pix_fmt = shape.width, shape.height, "yuv420p"
        context.time_base = Fraction(1, _TICKS)
        context.framerate = Fraction(shape.frames_s)
        context.gop_size = KEYFRAME_EVERY_S * shape.frames_s
        context.max_b_frames = 0
        context.thread_count = 1
        if shape.aspect is not None:
            context.sample_aspect_ratio = shape.aspect
        context.flags &= ~Flags.global_header
        context.options = {
            "preset": "ultrafast",
            "tune": "zerolatency",
            "profile": "baseline",
            "crf": str(CRF),
            "maxrate": f"{PEAK_KBPS}k",
            "bufsize": f"{PEAK_KBPS // 3}k",
            "forced-idr": "1",
            "x264-params": "scenecut=0",
        }
        context.open()
        self._context, self._shape = context, shape
        return context


def fitting(width: int, height: int) -> tuple[int, int]:
    """Return the size at which a picture is sent: even, and at most `MAX_PIXELS`."""
    scale = min(1.0, (MAX_PIXELS / (width * height)) ** 0.5)
    return max(2, int(width * scale) // 2 * 2), max(2, int(height * scale) // 2 * 2)
