from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from touchline.capture.cameras.pipelines import build_pipeline
from touchline.capture.encoding.encoders import (
    ENCODERS,
    HARDWARE_ENCODERS,
    PRESETS,
    EncoderTarget,
    choose_encoder,
)
from touchline.capture.encoding.encoding import RAW_QUEUE
from touchline.capture.settings.tree import CaptureSettings
from touchline.capture.sources.kinds import PROBED_ELEMENTS
from touchline.core.errors import Failed
from touchline.ipc.wire import (
    Element,
    PipelineSpec,
    Rtsp,
    SimulatedPicture,
    Value,
    encode,
    spec_from_json,
    spec_to_json,
)

SOFTWARE = frozenset(PROBED_ELEMENTS) - set(HARDWARE_ENCODERS)
JETSON = SOFTWARE | {"nvv4l2h264enc"}

X264_FAST: dict[str, Value] = {
    "speed-preset": "ultrafast",
    "psy-tune": "none",
    "bitrate": 20000,
    "vbv-buf-capacity": 2000,
    "key-int-max": 30,
    "bframes": 0,
    "b-adapt": False,
    "ref": 1,
    "rc-lookahead": 0,
    "qp-min": 18,
    "qp-max": 34,
    "threads": 0,
    "aud": False,
    "byte-stream": False,
    "option-string": "repeat-headers=1:scenecut=0:open-gop=0",
    "sliced-threads": True,
    "sync-lookahead": 0,
    "mb-tree": False,
}
QUEUE = Element(
    "queue",
    {
        "name": RAW_QUEUE,
        "max-size-buffers": 8,
        "max-size-bytes": 0,
        "max-size-time": 0,
        "leaky": "downstream",
    },
)
PATIENT_QUEUE = Element(
    "queue", {name: value for name, value in QUEUE.properties.items() if name != "leaky"}
)
I420 = Element("capsfilter", {"caps": "video/x-raw,format=I420"})
CONVERT = Element("videoconvert")


def build(
    source: dict[str, Any], elements: frozenset[str] = SOFTWARE, camera_id: int = 0, **settings: Any
) -> PipelineSpec:
    configured = CaptureSettings.model_validate({"cameras": {camera_id: source}, **settings})
    return build_pipeline(camera_id, configured.cameras[camera_id], configured, elements)


def x264(**changes: Any) -> Element:
    return Element("x264enc", {**X264_FAST, **changes})


def factories(elements: tuple[Element, ...]) -> list[str]:
    return [element.factory for element in elements]


def test_a_test_camera_is_drawn_by_the_worker_and_encoded() -> None:
    assert build({"kind": "test", "fps": 29.97}, camera_id=1) == PipelineSpec(
        kind="test",
        source=(),
        encode=(QUEUE, CONVERT, I420, x264()),
        picture=SimulatedPicture("cam1", 1280, 720, 30000, 1001),
    )


def test_a_file_is_looped_and_its_h264_copied() -> None:
    spec = build({"kind": "file", "path": "/srv/a.mp4"})
    assert spec.source == (Element("filesrc", {"location": "/srv/a.mp4"}),)
    assert (spec.demux, spec.force_encode, spec.keep_running) == (True, False, False)
    assert (spec.paced, spec.loop) == (True, True)
    assert spec.encode[0] == PATIENT_QUEUE  # a file can wait


def test_an_rtsp_camera_is_copied_and_kept_connected() -> None:
    spec = build({"kind": "rtsp", "url": "rtsp://coach:hunter2@10.0.0.1/s"})
    assert spec.source == ()
    assert spec.rtsp == Rtsp("rtsp://10.0.0.1/s", "coach", "hunter2", latency_ms=200)
    assert "hunter2" not in repr(spec)
    assert (spec.demux, spec.force_encode, spec.keep_running) == (True, False, True)
    assert spec.encode == (PATIENT_QUEUE, CONVERT, I420, x264(**{"key-int-max": 25}))


@pytest.mark.parametrize(
    ("setting", "value"),
    [
        ("transport", "udp"),
        ("transport", "auto"),
        ("latency_ms", 50),
        ("verify_tls", False),
        ("track", 1),
        ("track", "trackID=2"),
    ],
)
def test_an_rtsp_camera_is_told_how_it_was_configured(setting: str, value: Any) -> None:
    spec = build({"kind": "rtsp", "url": "rtsps://h/", setting: value})
    assert spec.rtsp is not None
    assert getattr(spec.rtsp, setting) == value
    assert spec.rtsp == replace(Rtsp("rtsps://h/"), **{setting: value})


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "rtsp", "url": "rtsp://h/"},
        {"kind": "file", "path": "/srv/a.mp4"},
        {"kind": "v4l2", "device": "/dev/video0", "format": "h264"},
    ],
)
def test_a_crop_turns_a_copied_source_into_a_transcoded_one(source: dict[str, Any]) -> None:
    assert not build(source).force_encode
    spec = build({**source, "crop": {"left": 101, "bottom": 8}})
    assert (spec.demux, spec.force_encode, spec.keep_running) == (True, True, False)
    crop = Element("videocrop", {"left": 100, "right": 0, "top": 0, "bottom": 8})
    assert spec.encode[1] == crop


def test_a_crop_too_small_to_matter_leaves_the_copy_alone() -> None:
    spec = build({"kind": "rtsp", "url": "rtsp://h/", "crop": {"left": 1}})
    assert (spec.force_encode, spec.keep_running) == (False, True)


def test_a_raw_v4l2_camera_is_encoded() -> None:
    spec = build({"kind": "v4l2", "device": "/dev/video2", "fps": 60})
    caps = "video/x-raw,width=1920,height=1080,framerate=60/1"
    assert spec.source == (
        Element("v4l2src", {"device": "/dev/video2"}),
        Element("capsfilter", {"caps": caps}),
    )
    assert spec.encode == (QUEUE, CONVERT, I420, x264(**{"key-int-max": 60}))


def test_an_mjpeg_v4l2_camera_is_decoded_first() -> None:
    spec = build({"kind": "v4l2", "device": "/dev/video0", "format": "mjpeg"})
    assert factories(spec.source) == ["v4l2src", "capsfilter", "jpegdec"]
    assert spec.source[1].properties["caps"] == "image/jpeg,width=1920,height=1080,framerate=30/1"


def test_an_h264_v4l2_camera_is_copied() -> None:
    spec = build({"kind": "v4l2", "device": "/dev/video0", "format": "h264"})
    assert factories(spec.source) == ["v4l2src", "capsfilter"]
    assert spec.source[1].properties["caps"] == "video/x-h264,width=1920,height=1080,framerate=30/1"
    assert (spec.delivers_h264, spec.keep_running, spec.encode) == (True, True, ())


def test_a_libcamera_camera_is_named_when_it_has_a_name() -> None:
    named = build({"kind": "libcamera", "camera": "/base/soc/i2c0mux/i2c@1/imx708@1a"})
    assert named.source[0].properties == {"camera-name": "/base/soc/i2c0mux/i2c@1/imx708@1a"}
    assert build({"kind": "libcamera"}).source == (
        Element("libcamerasrc"),
        Element(
            "capsfilter",
            {"caps": "video/x-raw,format=NV12,width=1920,height=1080,framerate=30/1"},
        ),
    )


SHIPPED_CROP = {"left": 480, "right": 480, "top": 0, "bottom": 408}
ARGUS = Element(
    "nvarguscamerasrc",
    {
        "sensor-id": 1,
        "sensor-mode": 0,
        "tnr-mode": 1,
        "ee-mode": 1,
        "wbmode": 1,
        "aelock": False,
        "aeantibanding": 3,
        "exposurecompensation": 0.5,
        "exposuretimerange": "13000 33000000",
        "gainrange": "1 16",
        "ispdigitalgainrange": "1 1",
        "saturation": 1.0,
    },
)
NVMM = "video/x-raw(memory:NVMM),format=NV12"


def argus(**fields: Any) -> dict[str, Any]:
    return {"kind": "argus", "exposure_compensation": 0.5, **fields}


def test_an_argus_camera_is_cropped_by_the_corners_of_what_stays() -> None:
    spec = build(argus(crop=SHIPPED_CROP), camera_id=1)
    system = "video/x-raw,format=I420,colorimetry=bt709,interlace-mode=progressive"
    assert spec.source == (
        ARGUS,
        Element("capsfilter", {"caps": f"{NVMM},width=3840,height=2160"}),
        Element("nvvidconv", {"left": 480, "right": 3360, "top": 0, "bottom": 1752}),
        Element("capsfilter", {"caps": f"{NVMM},width=2880,height=1752"}),
        Element("nvvidconv"),
        Element("capsfilter", {"caps": system}),
    )
    assert spec.encode == (QUEUE, CONVERT, I420, x264())


def test_an_uncropped_argus_camera_has_no_crop_element() -> None:
    assert factories(build(argus(), camera_id=1).source) == [
        "nvarguscamerasrc",
        "capsfilter",
        "nvvidconv",
        "capsfilter",
    ]


def test_an_argus_camera_stays_in_video_memory_for_the_jetsons_encoder() -> None:
    spec = build(argus(sensor_id=1, crop=SHIPPED_CROP), JETSON)
    assert factories(spec.source) == ["nvarguscamerasrc", "capsfilter", "nvvidconv", "capsfilter"]
    assert factories(spec.encode) == ["queue", "nvvidconv", "capsfilter", "nvv4l2h264enc"]
    assert spec.encode[0].properties["max-size-buffers"] == 3
    assert spec.encode[-1].properties["iframeinterval"] == 30


@pytest.mark.parametrize(
    ("quality", "expected"),
    [
        ("fast", {}),
        (
            "balanced",
            {"bitrate": 22000, "speed-preset": "superfast", "psy-tune": "film", "bframes": 1,
             "b-adapt": True, "ref": 2, "rc-lookahead": 10, "qp-max": 32},
        ),
        (
            "high",
            {"bitrate": 25000, "speed-preset": "superfast", "psy-tune": "film", "bframes": 1,
             "b-adapt": True, "ref": 2, "rc-lookahead": 10, "qp-max": 32},
        ),
    ],
)  # fmt: skip
def test_the_presets_are_those_of_the_contract(quality: str, expected: dict[str, Any]) -> None:
    properties = {**X264_FAST, **expected}
    if quality != "fast":  # these may hold frames back, so they keep x264's own threading
        for name in ("sliced-threads", "sync-lookahead", "mb-tree"):
            del properties[name]
    assert build({"kind": "test"}, quality=quality).encode[-1] == Element("x264enc", properties)
    assert build({"kind": "test", "quality": quality}).encode[-1] == Element("x264enc", properties)


def test_a_camera_may_have_a_bitrate_of_its_own() -> None:
    spec = build({"kind": "test", "bitrate_kbps": 900}, quality="high")
    assert spec.encode[-1].properties["bitrate"] == 900


def test_what_the_worker_must_know_about_time_comes_from_the_settings() -> None:
    spec = build(
        {"kind": "test"},
        stall_after_s=0.5,
        start_timeout_s=4,
        recovery_pause_max_s=2,
        recovery_max_attempts=7,
    )
    assert (spec.stall_after_s, spec.start_timeout_s) == (0.5, 4)
    assert (spec.retry_pause_max_s, spec.retry_limit) == (2, 7)


def test_a_hardware_encoder_is_preferred_unless_software_was_asked_for() -> None:
    machine = SOFTWARE | {"vah264enc", "v4l2h264enc"}
    assert choose_encoder("auto", machine) == "vah264enc"
    assert choose_encoder("v4l2h264enc", machine) == "v4l2h264enc"
    assert choose_encoder("software", machine) == "x264enc"
    assert choose_encoder("auto", {"openh264enc"}) == "openh264enc"


def test_a_machine_without_the_encoder_is_told_so() -> None:
    with pytest.raises(Failed, match="is installed: nvh264enc") as failure:
        build({"kind": "test"}, encoder="nvh264enc")
    assert failure.value.code == "encoder_missing"


@pytest.mark.parametrize("name", ENCODERS)
def test_each_encoder_makes_a_keyframe_a_second_and_no_b_frames(name: str) -> None:
    chain = ENCODERS[name](EncoderTarget(PRESETS["fast"], 8000, 50))
    encoder = next(element for element in chain if element.factory == name)
    values = {str(value) for value in encoder.properties.values()}
    text = ",".join(sorted(values))
    assert "50" in values or "h264_i_frame_period=50" in text
    assert values & {"8000", "8000000"} or "video_bitrate=8000000" in text
    for prop in ("bframes", "b-frames", "max-bframes", "num-B-Frames"):
        assert encoder.properties.get(prop, 0) == 0


def test_a_camera_whose_source_element_is_missing_is_told_so() -> None:
    with pytest.raises(Failed, match=r"Camera 3 \(argus\) needs .* nvarguscamerasrc") as failure:
        build({"kind": "argus"}, SOFTWARE - {"nvarguscamerasrc"}, camera_id=3)
    assert failure.value.code == "element_missing"


hostile = st.text(max_size=60) | st.sampled_from(
    ['a" ! filesink location=/etc/x', "x\n! fakesink", "NVMM), width=1", "; rm -rf /", "$(id)"]
)


@given(text=hostile)
@pytest.mark.parametrize(
    ("fields", "field", "element", "prop"),
    [
        ({"kind": "file"}, "path", "filesrc", "location"),
        ({"kind": "rtsp", "url": "rtsp://h/"}, "user", "", ""),
        ({"kind": "rtsp", "url": "rtsp://h/"}, "password", "", ""),
        ({"kind": "rtsp"}, "url", "", ""),
        ({"kind": "v4l2"}, "device", "v4l2src", "device"),
        ({"kind": "libcamera"}, "camera", "libcamerasrc", "camera-name"),
        ({"kind": "test"}, "name", "", ""),
    ],
)
def test_what_a_user_wrote_is_only_ever_the_value_of_its_property(
    fields: dict[str, Any], field: str, element: str, prop: str, text: str
) -> None:
    value = {"path": f"/srv/{text}", "url": f"rtsp://h/{text}"}.get(field, text)
    harmless = {"path": "/srv/a", "url": "rtsp://h/", "device": "/dev/video0"}.get(field, "a")
    try:
        spec = build({**fields, field: value})
    except ValidationError:
        return  # refused is safe
    expected = build({**fields, field: harmless})
    for built, clean in zip(
        spec.source + spec.encode, expected.source + expected.encode, strict=True
    ):
        assert built.factory == clean.factory
        assert built.properties.keys() - {prop} == clean.properties.keys() - {prop}
        changed = {k for k, v in built.properties.items() if clean.properties.get(k) != v}
        assert changed <= ({prop} if built.factory == element else set())


@pytest.mark.parametrize(
    "source",
    [
        {"kind": "test"},
        {"kind": "file", "path": "/srv/a.mp4"},
        {"kind": "rtsp", "url": "rtsp://u:p@h/"},
        {"kind": "v4l2", "device": "/dev/video0"},
        {"kind": "libcamera"},
        {"kind": "argus"},
    ],
)
def test_a_pipeline_survives_the_wire(source: dict[str, Any]) -> None:
    spec = build(source)
    assert spec_from_json(spec_to_json(spec)) == spec
    assert encode(spec_to_json(spec)).count(b"\n") == 1
