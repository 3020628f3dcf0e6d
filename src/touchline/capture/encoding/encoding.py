"""Conversion of one camera's frames to H.264. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from fractions import Fraction

from touchline.capture.encoding.encoders import ENCODERS, PRESETS, EncoderTarget, Quality
from touchline.capture.encoding.picture import Crop
from touchline.ipc.wire import Element, Value

RAW_QUEUE = "raw_queue"
"""Name of the queue of raw frames whose overruns the worker counts as dropped frames."""

RAW_QUEUE_FRAMES = 8

ASSUMED_FPS = Fraction(25)
"""Frame rate assumed for sources whose rate is known only once they run.

It gives a keyframe distance of one second at 25 fps.
"""


@dataclass(frozen=True)
class Encoding:
    """Encoder of one camera, with its preset and bitrate; None: the bitrate of the preset."""

    encoder: str
    quality: Quality
    bitrate_kbps: int | None

    def chain(self, fps: Fraction, crop: Crop, *, live: bool = True) -> tuple[Element, ...]:
        """Return the elements from raw frames in system memory to H.264."""
        cut = (Element("videocrop", crop.model_dump()),) if crop else ()
        return (
            raw_queue(RAW_QUEUE_FRAMES, live=live),
            *cut,
            Element("videoconvert"),
            *self.encode(fps),
        )

    def encode(self, fps: Fraction) -> tuple[Element, ...]:
        """Return the encoder with the elements required before and after it."""
        preset = PRESETS[self.quality]
        bitrate_kbps = self.bitrate_kbps or preset.bitrate_kbps
        gop_frames = max(1, round(fps))  # a keyframe a second
        return ENCODERS[self.encoder](EncoderTarget(preset, bitrate_kbps, gop_frames))


def raw_queue(frames: int, *, live: bool) -> Element:
    """Return a short queue before the encoder; for a live camera it drops the oldest frame."""
    properties: dict[str, Value] = {
        "name": RAW_QUEUE,
        "max-size-buffers": frames,
        "max-size-bytes": 0,
        "max-size-time": 0,
    }
    if live:
        properties["leaky"] = "downstream"
    return Element("queue", properties)
