from __future__ import annotations

from typing import Any

import gi
import pytest

from support.coded import FRAME_NS, frames
from touchline.ipc.tee import Frame
from touchline.ipc.wire import PipelineSpec
from touchline.worker.network import feed as module
from touchline.worker.network.feed import CopiedH264, decoding_pipeline, missing_frames
from touchline.worker.rtsp.description import CameraTrack, TrackFormat
from touchline.worker.rtsp.errors import RtspError

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402


@pytest.fixture(scope="module", autouse=True)
def _gstreamer() -> None:
    Gst.init(None)


def track(chosen: TrackFormat, size: tuple[int, int] | None = None) -> CameraTrack:
    return CameraTrack(0, None, (chosen,), size, frozenset(), protected=False)


@pytest.mark.parametrize(
    ("first", "second", "missing"), [(0, 1, 0), (0, 2, 1), (0, 10, 9), (5, 5, 0), (5, 3, 0)]
)
def test_as_many_frames_are_missing_as_fit_in_between(
    first: int, second: int, missing: int
) -> None:
    sent = frames(11, gop=100)
    assert missing_frames(sent[first], sent[second]) == missing
    assert missing_frames(None, sent[second]) == 0
    assert missing_frames(sent[0]._replace(duration_ns=0), sent[9]) == 0


def test_time_that_passes_without_a_lost_packet_is_no_lost_frame() -> None:
    got: list[Frame] = []
    feed = CopiedH264(TrackFormat(96, "H264", 90_000), got.append, lambda _: None)
    sent = frames(10, gop=100)
    feed._frame(sent[0])
    feed._frame(sent[4])
    assert feed.lost == 0
    feed._stream.packets_lost += 1
    feed._frame(sent[7])
    assert feed.lost == 2
    assert [(each.dts_ns - sent[0].dts_ns) // FRAME_NS for each in got] == [0, 4, 7]


def test_a_codec_without_a_decoder_is_said() -> None:
    chosen = TrackFormat(96, "X-UNKNOWN", 90_000)
    with pytest.raises(RtspError, match="no decoder for X-UNKNOWN"):
        decoding_pipeline(PipelineSpec("rtsp", ()), track(chosen), chosen)


def test_what_a_camera_says_of_its_packets_is_only_ever_a_value() -> None:
    chosen = TrackFormat(
        26,
        "JPEG",
        90_000,
        {"quality": "50", "a! filesink": "x", "media": "audio", "note": 'x" ! fakesink', "b": ""},
    )
    caps: Any = module._rtp_caps(track(chosen, (640, 360)), chosen)
    structure = caps.get_structure(0)
    assert structure.get_name() == "application/x-rtp"
    found = {structure.nth_field_name(n) for n in range(structure.n_fields())}
    expected = {"media", "payload", "clock-rate", "encoding-name", "quality", "x-dimensions"}
    assert found == expected
    assert structure.get_value("media") == "video"
    assert structure.get_value("x-dimensions") == "640,360"
