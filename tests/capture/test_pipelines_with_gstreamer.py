"""The built pipelines against real elements: in a child process, because the server has no `gi`.

What this machine lacks is held against tables of the properties those elements are known to have.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from typing import Any

import pytest

from support.registry import registry
from touchline.capture.cameras.pipelines import build_pipeline
from touchline.capture.encoding.encoders import ENCODERS, PRESETS, EncoderTarget
from touchline.capture.settings.tree import CaptureSettings
from touchline.capture.sources.kinds import PROBED_ELEMENTS
from touchline.ipc.wire import Element, PipelineSpec

CHILD_DEADLINE_S = 60

PRELUDE = """
import json, sys
import gi
gi.require_version("Gst", "1.0")
from gi.repository import Gst
Gst.init(None)

def make(element):
    made = Gst.ElementFactory.make(element["factory"], None)
    if made is None:
        return None
    for name, value in element["properties"].items():
        spec = made.find_property(name)
        assert spec is not None, element["factory"] + " has no property " + name
        if spec.value_type.name == "GstCaps":
            caps = Gst.Caps.from_string(value)
            assert caps is not None, "not caps: " + value
            made.set_property(name, caps)
        elif isinstance(value, str) and spec.value_type.name != "gchararray":
            Gst.util_set_object_arg(made, name, value)
        else:
            made.set_property(name, value)
    return made
"""

# Reads elements, answers for each what its properties became, or null where there is no element.
READ_BACK = """
def plain(value):
    if hasattr(value, "value_nick"):
        return value.value_nick
    if hasattr(value, "value_nicks"):
        return "+".join(n for n in value.value_nicks if n != "unknown") if int(value) else 0
    return value.to_string() if isinstance(value, Gst.Caps) else value

answers = []
for element in json.load(sys.stdin):
    made = make(element)
    answers.append(made and {n: plain(made.get_property(n)) for n in element["properties"]})
print(json.dumps(answers))
"""

# Encodes 90 frames one by one through a chain; says what came out, and how many were held back.
ENCODE = """
chain = json.load(sys.stdin)
pipeline = Gst.Pipeline.new(None)
source = {"factory": "appsrc", "properties": {"format": "time", "is-live": True,
    "caps": "video/x-raw,format=YUY2,width=320,height=180,framerate=30/1"}}
sink = {"factory": "appsink", "properties": {"sync": False, "async": False}}
parse = [{"factory": "h264parse", "properties": {}}, {"factory": "capsfilter",
    "properties": {"caps": "video/x-h264,stream-format=avc,alignment=au"}}]
made = [make(e) for e in [source, *chain, *parse, sink]]
for element in made:
    pipeline.add(element)
for before, after in zip(made, made[1:]):
    assert before.link(after), (before.name, after.name)
pipeline.set_state(Gst.State.PLAYING)
keyframes, out, held_back = [], 0, 0

def pull(wait_ms):
    global out
    sample = made[-1].emit("try-pull-sample", wait_ms * Gst.MSECOND)
    if sample is None:
        return False
    if not sample.get_buffer().get_flags() & Gst.BufferFlags.DELTA_UNIT:
        keyframes.append(out)
    out += 1
    return True

for index in range(90):
    picture = bytes((index * 7 % 256, 128)) * (320 * 180)
    buffer = Gst.Buffer.new_wrapped(picture)
    buffer.pts, buffer.duration = index * Gst.SECOND // 30, Gst.SECOND // 30
    made[0].emit("push-buffer", buffer)
    # A patient wait where each frame must come, none where the encoder may hold some back. One that
    # was waited for in vain is enough to tell.
    while out <= index and pull(20_000 if int(sys.argv[1]) == 0 and not held_back else 20):
        pass
    held_back = max(held_back, index + 1 - out)
made[0].emit("end-of-stream")
while not made[-1].get_property("eos") and pull(20_000):
    pass
caps = made[-1].get_static_pad("sink").get_current_caps().get_structure(0)
pipeline.set_state(Gst.State.NULL)
print(json.dumps({"frames": out, "keyframes": keyframes, "held_back": held_back,
    "size": [caps.get_value("width"), caps.get_value("height")]}))
"""


def child(program: str, stdin: Any, *arguments: str) -> Any:
    answer = subprocess.run(
        [sys.executable, "-c", PRELUDE + program, *arguments],
        input=json.dumps(stdin),
        env={**os.environ, "GST_REGISTRY": str(registry())},
        capture_output=True,
        text=True,
        timeout=CHILD_DEADLINE_S,
        check=False,
    )
    assert answer.returncode == 0, answer.stderr
    return json.loads(answer.stdout)


def plain(elements: tuple[Element, ...]) -> list[dict[str, Any]]:
    return [{"factory": e.factory, "properties": dict(e.properties)} for e in elements]


SOURCES: list[dict[str, Any]] = [
    {"kind": "test"},
    {"kind": "test", "quality": "balanced", "crop": {"left": 16, "top": 2}},
    {"kind": "test", "quality": "high"},
    {"kind": "file", "path": '/srv/it\'s "odd" ! fakesink.mp4'},
    {"kind": "rtsp", "url": "rtsp://u:p%22@h/s?a=b", "transport": "auto"},
    {"kind": "rtsp", "url": "rtsps://h/", "transport": "udp", "verify_tls": False},
    {"kind": "v4l2", "device": "/dev/video0", "format": "mjpeg", "fps": 29.97},
    {"kind": "v4l2", "device": "/dev/video0", "format": "h264"},
    {"kind": "libcamera", "camera": "/base/i2c@1/imx708@1a"},
    {"kind": "argus", "crop": {"left": 480, "right": 480, "bottom": 408}},
]


def build(source: dict[str, Any], **settings: Any) -> PipelineSpec:
    configured = CaptureSettings.model_validate({"cameras": {0: source}, **settings})
    return build_pipeline(0, configured.cameras[0], configured, PROBED_ELEMENTS)


def every_element() -> list[Element]:
    """Each element that any camera and any encoder is built from."""
    found: list[Element] = []
    for source in SOURCES:
        for encoder in ("x264enc", "nvv4l2h264enc"):
            spec = build(source, encoder=encoder)
            found += [*spec.source, *spec.encode]
    for make in ENCODERS.values():
        found += make(EncoderTarget(PRESETS["fast"], 8000, 30))
    return found


# The properties these elements are used with elsewhere, and shown with by gst-inspect-1.0.
KNOWN_PROPERTIES = {
    "nvarguscamerasrc": {
        "acquire-wait", "aeantibanding", "aelock", "awblock", "blocksize", "bufapi-version",
        "do-timestamp", "ee-mode", "ee-strength", "event-wait", "exposurecompensation",
        "exposuretimerange", "gainrange", "ispdigitalgainrange", "name", "num-buffers",
        "saturation", "sensor-id", "sensor-mode", "silent", "timeout", "tnr-mode", "tnr-strength",
        "total-sensor-modes", "wbmode",
    },
    "nvvidconv": {
        "bl-output", "bottom", "compute-hw", "flip-method", "interpolation-method", "left", "name",
        "nvbuf-memory-type", "output-buffers", "qos", "right", "silent", "top",
    },
    "nvv4l2h264enc": {
        "bit-packetization", "bitrate", "control-rate", "EnableMVBufferMeta", "EnableTwopassCBR",
        "idrinterval", "iframeinterval", "insert-aud", "insert-sps-pps", "insert-vui",
        "maxperf-enable", "MeasureEncoderLatency", "name", "num-B-Frames", "num-Ref-Frames",
        "peak-bitrate", "poc-type", "preset-level", "profile", "qp-range", "ratecontrol-enable",
        "slice-header-spacing", "SliceIntraRefreshInterval", "vbv-size",
    },
    "libcamerasrc": {"camera-name", "auto-focus-mode", "name"},
    "vah264enc": {
        "aud", "b-frames", "b-pyramid", "bitrate", "cabac", "cc-insert", "cpb-size", "dct8x8",
        "key-int-max", "max-qp", "mbbrc", "min-qp", "name", "num-slices", "qos", "qpb", "qpi",
        "qpp", "rate-control", "ref-frames", "target-percentage", "target-usage", "trellis",
    },
    "vaapih264enc": {
        "bitrate", "cabac", "cpb-length", "dct8x8", "keyframe-period", "max-bframes", "name",
        "quality-level", "rate-control", "refs", "tune",
    },
    "v4l2h264enc": {"device", "extra-controls", "capture-io-mode", "name", "output-io-mode"},
    "nvh264enc": {
        "aud", "bframes", "bitrate", "gop-size", "max-bitrate", "name", "preset", "qos",
        "rc-lookahead", "rc-mode", "vbv-buffer-size", "zerolatency",
    },
    "qsvh264enc": {
        "b-frames", "bitrate", "cabac", "gop-size", "idr-interval", "low-latency", "max-bitrate",
        "name", "rate-control", "ref-frames", "target-usage",
    },
}  # fmt: skip


def test_each_property_is_one_its_element_has_and_keeps_its_value() -> None:
    elements = every_element()
    answers = child(READ_BACK, plain(tuple(elements)))
    real = 0
    for element, kept in zip(elements, answers, strict=True):
        if kept is None:
            assert element.factory in KNOWN_PROPERTIES, f"{element.factory} is not installed"
            unknown = element.properties.keys() - KNOWN_PROPERTIES[element.factory]
            assert not unknown, f"{element.factory} has no {unknown}"
            continue
        real += 1
        for name, value in element.properties.items():
            if name == "caps":
                continue  # parsed by the child; normalised, so not the same text
            assert kept[name] == value, f"{element.factory} {name}"
    assert real > len(SOURCES)


def test_the_tables_cover_every_element_that_may_be_missing() -> None:
    assert {name for name in ENCODERS if name not in {"x264enc", "openh264enc"}} <= set(
        KNOWN_PROPERTIES
    )


@pytest.mark.parametrize(
    ("crop", "size"),
    [({}, [320, 180]), ({"left": 20, "right": 12, "top": 2, "bottom": 50}, [288, 128])],
)
def test_fast_holds_no_frame_back_and_makes_a_keyframe_a_second(
    crop: dict[str, int], size: list[int]
) -> None:
    spec = build({"kind": "test", "width": 320, "height": 180, "crop": crop}, encoder="software")
    answer = child(ENCODE, plain(spec.encode), "0")
    assert answer == {"frames": 90, "keyframes": [0, 30, 60], "held_back": 0, "size": size}


@pytest.mark.parametrize("quality", ["balanced", "high"])
def test_the_better_presets_hold_frames_back_but_lose_none(quality: str) -> None:
    source = {"kind": "test", "width": 320, "height": 180, "quality": quality}
    answer = child(ENCODE, plain(build(source, encoder="software").encode), "30")
    assert (answer["frames"], answer["keyframes"]) == (90, [0, 30, 60])


def test_openh264_can_stand_in_for_x264() -> None:
    spec = build({"kind": "test", "width": 320, "height": 180}, encoder="openh264enc")
    answer = child(ENCODE, plain(spec.encode), "0")
    assert (answer["frames"], answer["keyframes"]) == (90, [0, 30, 60])
