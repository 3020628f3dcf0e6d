from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from support.pipelinespecs import (
    CONVERT,
    I420,
    QUEUE,
    SOFTWARE,
    build,
    x264,
)
from touchline.core.errors import Failed
from touchline.ipc.wire import (
    Element,
    PipelineSpec,
    SimulatedPicture,
    encode,
    spec_from_json,
    spec_to_json,
)


def test_a_test_camera_is_drawn_by_the_worker_and_encoded() -> None:
    assert build({"kind": "test", "fps": 29.97}, camera_id=1) == PipelineSpec(
        kind="test",
        source=(),
        encode=(QUEUE, CONVERT, I420, x264()),
        picture=SimulatedPicture("cam1", 1280, 720, 30000, 1001),
    )


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


def argus(**fields: Any) -> dict[str, Any]:
    return {"kind": "argus", "exposure_compensation": 0.5, **fields}


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
