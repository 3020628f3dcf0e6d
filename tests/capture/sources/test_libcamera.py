from __future__ import annotations

from support.pipelinespecs import build
from touchline.ipc.wire import Element


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
