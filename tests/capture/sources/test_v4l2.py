from __future__ import annotations

from support.pipelinespecs import (
    CONVERT,
    I420,
    QUEUE,
    build,
    factories,
    x264,
)
from touchline.capture.sources.v4l2 import V4l2Source
from touchline.ipc.wire import Element


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


def test_a_device_is_found_where_it_is_one() -> None:
    no_device = V4l2Source(kind="v4l2", device="/dev/no-such-camera").finding(1, required=True)
    assert (no_device.what, no_device.state) == ("camera 1", "missing")
    assert no_device.mend == "ls -l /dev/v4l/by-id"
    # A character device that everybody may use stands for a camera.
    there = V4l2Source(kind="v4l2", device="/dev/null").finding(1, required=True)
    assert (there.state, there.message) == ("ok", "/dev/null")
    folder = V4l2Source(kind="v4l2", device="/dev/shm").finding(1, required=True)
    assert folder.state == "missing"
