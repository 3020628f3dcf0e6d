"""Encoding of pictures to H.264, one access unit per picture, in the format of segment files."""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction

import av
from av.video.reformatter import ColorRange

from touchline.media.h264.syntax import Colour
from touchline.media.h264.units import (
    PPS,
    SPS,
    configuration_record,
    parameter_sets,
    split_annex_b,
)
from touchline.media.mp4.writer import TIMESCALE, Codec, ticks, ticks_to_ns


@dataclass(frozen=True)
class EncodedPicture:
    """One coded picture in AVC format, in decode order.

    `at_ns` is its presentation time, `decode_ns` its decode time; without B-frames they are the
    same.
    """

    data: bytes
    at_ns: int
    keyframe: bool
    decode_ns: int | None = None

    @property
    def order_ns(self) -> int:
        """Decode time of the picture."""
        return self.at_ns if self.decode_ns is None else self.decode_ns


@dataclass(frozen=True)
class EncoderQuality:
    """Settings of x264: preset, constant quality (18 is fine, 28 is coarse) and threads.

    With `bitrate_kbps` that rate is used instead of the quality. With `zero_latency` each picture
    is output before the next one is input.
    """

    preset: str = "veryfast"
    crf: int = 23
    threads: int = 0
    gop_s: float = 1.0
    bitrate_kbps: int | None = None
    zero_latency: bool = False
    profile: str = "high"
    set_number: int = 0
    """Id of its parameter sets; must differ from those of the stream it is joined to."""


def range_of(colour: Colour | None) -> ColorRange:
    """Return the colour range of a stream's pictures; limited if it does not say."""
    return ColorRange.JPEG if colour is not None and colour.full_range else ColorRange.MPEG


def convert_range(frame: av.VideoFrame, colour: Colour | None) -> av.VideoFrame:
    """Convert a picture to yuv420p in the stream's range; no copy is made if it is that already."""
    wanted = range_of(colour)
    full = frame.format.name == "yuvj420p" or frame.color_range == ColorRange.JPEG
    found = ColorRange.JPEG if full else ColorRange.MPEG
    if found == wanted and frame.format.name in {"yuv420p", "yuvj420p"}:
        return frame
    return frame.reformat(format="yuv420p", src_color_range=found, dst_color_range=wanted)


class Encoder:
    """Encoder of one H.264 stream. `codec` is known immediately."""

    def __init__(
        self, width: int, height: int, fps: Fraction, quality: EncoderQuality, colour: Colour | None
    ) -> None:
        """Open the encoder; the stream declares the pictures' `colour`, None for unknown."""
        self._context = av.CodecContext.create("libx264", "w")
        context = self._context
        context.width, context.height = width, height
        context.pix_fmt = "yuv420p"
        context.time_base = Fraction(1, TIMESCALE)
        context.framerate = fps
        context.gop_size = max(1, round(fps * Fraction(quality.gop_s)))
        context.thread_count = quality.threads
        context.max_b_frames = 0
        if colour is not None:
            context.color_primaries, context.color_trc = colour.primaries, colour.transfer
            context.colorspace = colour.matrix
            context.color_range = range_of(colour)
        context.flags |= av.codec.context.Flags.global_header
        context.options = {
            "preset": quality.preset,
            # Keyframes only at regular intervals, because files are cut at them.
            "x264-params": f"scenecut=0:open-gop=0:sps-id={quality.set_number:d}",
            "profile": quality.profile,
            "forced-idr": "1",
        }
        if quality.zero_latency:
            context.options["tune"] = "zerolatency"
        if quality.bitrate_kbps is None:
            context.options["crf"] = str(quality.crf)
        else:
            context.bit_rate = quality.bitrate_kbps * 1000
        context.open()
        self.codec = Codec(width, height, _avcc(bytes(context.extradata or b"")))
        self._first_ns: int | None = None

    def encode(self, frame: av.VideoFrame, at_ns: int) -> Iterator[EncodedPicture]:
        """Encode a picture and return finished ones; the encoder may hold some back."""
        if self._first_ns is None:
            self._first_ns = at_ns
        frame.pts = ticks(at_ns - self._first_ns)
        frame.time_base = Fraction(1, TIMESCALE)
        yield from self._encode_frame(frame)

    def flush(self) -> Iterator[EncodedPicture]:
        """Return the remaining pictures; nothing may be encoded afterwards."""
        yield from self._encode_frame(None)

    def _encode_frame(self, frame: av.VideoFrame | None) -> Iterator[EncodedPicture]:
        for packet in self._context.encode(frame):
            data = with_lengths(bytes(packet))
            at_ns = (self._first_ns or 0) + ticks_to_ns(packet.pts or 0)
            yield EncodedPicture(data, at_ns, packet.is_keyframe)


def with_lengths(data: bytes) -> bytes:
    """Convert an Annex B stream to length-prefixed units without parameter sets."""
    return b"".join(
        struct.pack(">I", len(unit)) + unit
        for unit in split_annex_b(data)
        if unit[0] & 0x1F not in {SPS, PPS}
    )


def join_codecs(first: Codec, second: Codec) -> Codec:
    """Combine two streams of equal size, with different parameter set ids, in one configuration."""
    units = [*parameter_sets(first.avcc), *parameter_sets(second.avcc)]
    # A decoder of both must support the higher profile.
    units.sort(key=lambda unit: -unit[1] if unit[0] & 0x1F == SPS else 0)
    return first._replace(avcc=configuration_record(units))


def _avcc(extradata: bytes) -> bytes:
    """Build the decoder configuration record from an encoder's extra data."""
    return configuration_record(split_annex_b(extradata))
