"""Encoding of consecutive drawn pictures to access units."""

from __future__ import annotations

import re
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import av
import numpy as np
from av.codec.context import Flags
from av.video.frame import PictureType

_ENCODERS = {"h264": "libx264", "h265": "libx265", "mjpeg": "mjpeg"}
_ONE_THREAD_PIXELS = 1920 * 1088
_AUD = 9
_START_CODE = re.compile(rb"\x00\x00\x00?\x01")


@dataclass(frozen=True)
class Coding:
    """Encoding parameters."""

    codec: str
    width: int
    height: int
    fps: Fraction
    bitrate_kbps: int
    gop_s: float
    b_frames: int = 0
    b_pyramid: bool = False
    open_gop: bool = False
    slices: int = 1
    aud: bool = False
    other_parameters: bool = False
    """Other parameter sets for the same picture."""


@dataclass(frozen=True)
class CodedPicture:
    """One coded picture: its NAL units without start codes, or one JPEG."""

    counter: int
    units: tuple[bytes, ...]
    keyframe: bool


class SimulatedEncoder:
    """One run of an encoder; its first picture is a keyframe."""

    def __init__(self, coding: Coding) -> None:
        """Open the encoder. Raises ValueError if this machine has none."""
        self.coding = coding
        try:
            self._context: Any = av.CodecContext.create(_ENCODERS[coding.codec], "w")
        except (ValueError, av.error.FFmpegError) as error:
            raise ValueError(
                f"this machine's FFmpeg has no encoder {_ENCODERS[coding.codec]}"
            ) from error
        self._set_up(coding)
        self._context.open()
        head = bytes(self._context.extradata or b"")
        self.parameter_sets = tuple(
            unit for unit in split_units(head) if _is_parameter_set(unit, coding.codec)
        )

    def _set_up(self, coding: Coding) -> None:
        context = self._context
        context.width, context.height = coding.width, coding.height
        context.pix_fmt = "yuvj420p" if coding.codec == "mjpeg" else "yuv420p"
        context.time_base = 1 / coding.fps
        context.framerate = coding.fps
        context.thread_count = 1 if coding.width * coding.height <= _ONE_THREAD_PIXELS else 0
        if coding.codec == "mjpeg":
            context.options = {"huffman": "default", "qscale": "4"}
            context.bit_rate = coding.bitrate_kbps * 1000
            return
        context.flags |= Flags.global_header
        context.options = {
            "preset": "ultrafast",
            "forced-idr": "1",
            **({} if coding.b_frames else {"tune": "zerolatency"}),
            **(_x264(coding) if coding.codec == "h264" else _x265(coding)),
        }

    def encode(self, picture: bytes, counter: int, *, keyframe: bool) -> list[CodedPicture]:
        """Encode a picture in I420 and return finished ones in decode order."""
        coding = self.coding
        shape = (coding.height * 3 // 2, coding.width)
        plane = np.frombuffer(picture, np.uint8).reshape(shape)
        frame = av.VideoFrame.from_ndarray(plane, format="yuv420p")
        if coding.codec == "mjpeg":
            frame = frame.reformat(format="yuvj420p")
        frame.pts = counter
        if keyframe:
            frame.pict_type = PictureType.I
        return [self._build_picture(packet) for packet in self._context.encode(frame)]

    def finish(self) -> list[CodedPicture]:
        """Return the remaining pictures; nothing can be encoded afterwards."""
        return [self._build_picture(packet) for packet in self._context.encode(None)]

    def _build_picture(self, packet: Any) -> CodedPicture:
        data = bytes(packet)
        if self.coding.codec == "mjpeg":
            return CodedPicture(packet.pts, (data,), keyframe=True)
        units = tuple(
            unit for unit in split_units(data) if not _is_parameter_set(unit, self.coding.codec)
        )
        # FFmpeg puts x264's own message before the delimiter, which must be first.
        if self.coding.aud:
            units = tuple(sorted(units, key=lambda unit: unit[0] & 0x1F != _AUD))
        return CodedPicture(packet.pts, units, keyframe=bool(packet.is_keyframe))


def split_units(annex_b: bytes) -> list[bytes]:
    """Split a byte stream at its start codes."""
    return [unit for unit in _START_CODE.split(annex_b) if unit]


def _gop_frames(coding: Coding) -> int:
    return max(1, round(coding.gop_s * coding.fps))


def _x264(coding: Coding) -> dict[str, str]:
    gop = _gop_frames(coding)
    parameters = {
        "keyint": gop,
        "min-keyint": min(gop, 2),
        "scenecut": 0,
        "bitrate": coding.bitrate_kbps,
        "vbv-maxrate": coding.bitrate_kbps,
        "vbv-bufsize": coding.bitrate_kbps,
        "bframes": coding.b_frames,
        "b-adapt": 0,
        "b-pyramid": "normal" if coding.b_pyramid else "none",
        "open-gop": int(coding.open_gop),
        "rc-lookahead": 0,
        "sync-lookahead": 0,
        "mbtree": 0,
        "weightp": 0,
        "slices": coding.slices,
        "aud": int(coding.aud),
    }
    if coding.other_parameters:
        parameters |= {"cabac": 1, "8x8dct": 1, "ref": 2}
    return {"x264-params": _join_parameters(parameters)}


def _x265(coding: Coding) -> dict[str, str]:
    gop = _gop_frames(coding)
    parameters = {
        "log-level": "none",
        "keyint": gop,
        "min-keyint": gop,
        "scenecut": 0,
        "bitrate": coding.bitrate_kbps,
        "vbv-maxrate": coding.bitrate_kbps,
        "vbv-bufsize": coding.bitrate_kbps,
        "bframes": coding.b_frames,
        "info": 0,
        "pools": 1,
        "slices": coding.slices,
        "frame-threads": 1,
    }
    return {"x265-params": _join_parameters(parameters)}


def _join_parameters(parameters: dict[str, Any]) -> str:
    return ":".join(f"{name}={value}" for name, value in parameters.items())


def _is_parameter_set(unit: bytes, codec: str) -> bool:
    return unit[0] & 0x1F in {7, 8} if codec == "h264" else unit[0] >> 1 & 0x3F in {32, 33, 34}
