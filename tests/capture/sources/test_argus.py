from __future__ import annotations

from typing import Any

from support.pipelinespecs import (
    CONVERT,
    I420,
    JETSON,
    QUEUE,
    build,
    factories,
    x264,
)
from touchline.ipc.wire import Element

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
