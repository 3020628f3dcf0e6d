from __future__ import annotations

from typing import Any

import pytest

from support.pipelinespecs import (
    SOFTWARE,
    X264_FAST,
    build,
)
from touchline.capture.encoding.encoders import (
    ENCODERS,
    PRESETS,
    EncoderTarget,
    choose_encoder,
)
from touchline.core.errors import Failed
from touchline.ipc.wire import Element


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
