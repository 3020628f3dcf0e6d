from __future__ import annotations

from fractions import Fraction

import pytest

from touchline.capture.encoding.encoding import RAW_QUEUE, Encoding, raw_queue
from touchline.capture.encoding.picture import Crop


@pytest.mark.parametrize(("bitrate_kbps", "used"), [(900, 900), (None, 25_000)])
def test_a_camera_may_have_a_bitrate_of_its_own(bitrate_kbps: int | None, used: int) -> None:
    *_, encoder = Encoding("x264enc", "high", bitrate_kbps).encode(Fraction(25))
    assert encoder.properties["bitrate"] == used


@pytest.mark.parametrize(
    ("fps", "frames"), [(Fraction(30000, 1001), 30), (Fraction(25, 2), 12), (Fraction(1, 2), 1)]
)
def test_there_is_a_keyframe_a_second(fps: Fraction, frames: int) -> None:
    *_, encoder = Encoding("x264enc", "fast", None).encode(fps)
    assert encoder.properties["key-int-max"] == frames


def test_frames_are_cropped_before_they_are_converted() -> None:
    encoding = Encoding("openh264enc", "fast", None)
    chain = [each.factory for each in encoding.chain(Fraction(25), Crop(left=2))]
    assert chain == ["queue", "videocrop", "videoconvert", "capsfilter", "openh264enc"]
    assert "videocrop" not in [each.factory for each in encoding.chain(Fraction(25), Crop())]


def test_only_a_live_camera_loses_frames_to_a_slow_encoder() -> None:
    live, recorded = (raw_queue(8, live=live).properties for live in (True, False))
    assert (live["leaky"], "leaky" in recorded) == ("downstream", False)
    assert live["name"] == recorded["name"] == RAW_QUEUE
