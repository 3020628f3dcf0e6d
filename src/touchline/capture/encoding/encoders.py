"""Supported H.264 encoders and their parameters. Pure."""

from __future__ import annotations

from collections.abc import Callable, Collection
from dataclasses import dataclass
from typing import Literal

from touchline.core.errors import Failed
from touchline.ipc.wire import Element, Value

Quality = Literal["fast", "balanced", "high"]


@dataclass(frozen=True)
class Preset:
    """Software encoder parameters for one quality level."""

    speed: str
    psy_tune: str
    bitrate_kbps: int
    bframes: int
    reference_frames: int
    lookahead_frames: int
    qp_min: int
    qp_max: int


PRESETS: dict[Quality, Preset] = {
    "high": Preset("superfast", "film", 25_000, 1, 2, 10, 18, 32),
    "balanced": Preset("superfast", "film", 22_000, 1, 2, 10, 18, 32),
    "fast": Preset("ultrafast", "none", 20_000, 0, 1, 0, 18, 34),
}


@dataclass(frozen=True)
class EncoderTarget:
    """Requested encoding; only the software encoder applies the whole preset."""

    preset: Preset
    bitrate_kbps: int
    gop_frames: int


def _x264(wanted: EncoderTarget) -> tuple[Element, ...]:
    preset = wanted.preset
    immediate = preset.bframes == 0 and preset.lookahead_frames == 0
    properties: dict[str, Value] = {
        "speed-preset": preset.speed,
        "psy-tune": preset.psy_tune,
        "bitrate": wanted.bitrate_kbps,
        # The element overrides vbv settings in option-string; 2000 ms is the notes' bufsize.
        "vbv-buf-capacity": 2000,
        "key-int-max": wanted.gop_frames,
        "bframes": preset.bframes,
        "b-adapt": preset.bframes > 0,
        "ref": preset.reference_frames,
        "rc-lookahead": preset.lookahead_frames,
        "qp-min": preset.qp_min,
        "qp-max": preset.qp_max,
        "threads": 0,
        "aud": False,
        "byte-stream": False,
        "option-string": "repeat-headers=1:scenecut=0:open-gop=0",
    }
    if immediate:
        # Frame threads hold back a frame each (three on two cores); slices hold back none.
        properties |= {"sliced-threads": True, "sync-lookahead": 0, "mb-tree": False}
    return raw_caps("I420"), Element("x264enc", properties)


def _openh264(wanted: EncoderTarget) -> tuple[Element, ...]:
    properties: dict[str, Value] = {
        "bitrate": wanted.bitrate_kbps * 1000,
        "max-bitrate": wanted.bitrate_kbps * 1500,
        "rate-control": "bitrate",
        "complexity": "low",
        "gop-size": wanted.gop_frames,
        "enable-frame-skip": False,
        "scene-change-detection": False,
    }
    return raw_caps("I420"), Element("openh264enc", properties)


def _nvv4l2(wanted: EncoderTarget) -> tuple[Element, ...]:
    properties: dict[str, Value] = {
        "bitrate": wanted.bitrate_kbps * 1000,
        "iframeinterval": wanted.gop_frames,
        "idrinterval": wanted.gop_frames,
        "insert-sps-pps": True,
        "maxperf-enable": True,
        "num-B-Frames": 0,
    }
    return Element("nvvidconv"), nvmm_caps(), Element("nvv4l2h264enc", properties)


def _va(wanted: EncoderTarget) -> tuple[Element, ...]:
    properties: dict[str, Value] = {
        "bitrate": wanted.bitrate_kbps,
        "key-int-max": wanted.gop_frames,
        "b-frames": 0,
        "aud": False,
    }
    return raw_caps("NV12"), Element("vah264enc", properties)


def _vaapi(wanted: EncoderTarget) -> tuple[Element, ...]:
    properties: dict[str, Value] = {
        # Its default is a constant quantiser, which ignores the bitrate.
        "rate-control": "cbr",
        "bitrate": wanted.bitrate_kbps,
        "keyframe-period": wanted.gop_frames,
        "max-bframes": 0,
    }
    return raw_caps("NV12"), Element("vaapih264enc", properties)


def _v4l2(wanted: EncoderTarget) -> tuple[Element, ...]:
    controls = {
        "video_bitrate": wanted.bitrate_kbps * 1000,
        "h264_i_frame_period": wanted.gop_frames,
        "repeat_sequence_header": 1,
    }
    text = ",".join(f"{name}={value}" for name, value in controls.items())
    # The Raspberry Pi's encoder refuses to negotiate without a level.
    level = Element("capsfilter", {"caps": "video/x-h264,level=(string)4.2"})
    encoder = Element("v4l2h264enc", {"extra-controls": f"controls,{text}"})
    return raw_caps("{ I420, NV12 }"), encoder, level


def _nv(wanted: EncoderTarget) -> tuple[Element, ...]:
    properties: dict[str, Value] = {
        "bitrate": wanted.bitrate_kbps,
        "rc-mode": "cbr",
        "gop-size": wanted.gop_frames,
        "bframes": 0,
        "zerolatency": True,
    }
    return raw_caps("NV12"), Element("nvh264enc", properties)


def _qsv(wanted: EncoderTarget) -> tuple[Element, ...]:
    properties: dict[str, Value] = {
        "bitrate": wanted.bitrate_kbps,
        "rate-control": "cbr",
        "gop-size": wanted.gop_frames,
        "b-frames": 0,
    }
    return raw_caps("NV12"), Element("qsvh264enc", properties)


def raw_caps(picture_format: str) -> Element:
    """Return caps for frames in system memory, in one of the named formats."""
    return Element("capsfilter", {"caps": f"video/x-raw,format={picture_format}"})


def nvmm_caps(size: str = "") -> Element:
    """Return caps for NV12 frames in a Jetson's video memory."""
    caps = "video/x-raw(memory:NVMM),format=NV12"
    return Element("capsfilter", {"caps": f"{caps},{size}" if size else caps})


HARDWARE_ENCODERS: dict[str, Callable[[EncoderTarget], tuple[Element, ...]]] = {
    "nvv4l2h264enc": _nvv4l2,
    "nvh264enc": _nv,
    "qsvh264enc": _qsv,
    "vah264enc": _va,
    "vaapih264enc": _vaapi,
    "v4l2h264enc": _v4l2,
}
"""Hardware encoders in order of preference.

All encode without B-frames and with one keyframe per second.
"""

SOFTWARE_ENCODERS: dict[str, Callable[[EncoderTarget], tuple[Element, ...]]] = {
    "x264enc": _x264,
    "openh264enc": _openh264,
}

ENCODERS = HARDWARE_ENCODERS | SOFTWARE_ENCODERS


def choose_encoder(choice: str, elements: Collection[str]) -> str:
    """Return the encoder to use from those available on this machine.

    Raises Failed when there is none.
    """
    if choice == "auto":
        candidates = list(ENCODERS)
    elif choice == "software":
        candidates = list(SOFTWARE_ENCODERS)
    else:
        candidates = [choice]
    for name in candidates:
        if name in elements:
            return name
    raise Failed(
        f"No GStreamer element for encoding H.264 is installed: {' or '.join(candidates)}.",
        code="encoder_missing",
        encoder=choice,
    )
