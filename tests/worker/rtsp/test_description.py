from __future__ import annotations

import pytest

from support.scriptedcamera import H264, description
from touchline.worker.rtsp.description import choose_track, parse_description
from touchline.worker.rtsp.errors import RtspError

# Made with x264 and x265: 1920x1080 (cropped from 1088), 640x360, and 1280x720 with 4:4:4.
SPS_1080 = "Z2QAKKzZQHgCJ+XARAAAAwAEAAADAPA8YMZY"
SPS_360 = "Z0LAHtkAoC/5YQAAAwABAAADADKPFi5I"


def video(
    encoding: str = "H264", payload_type: int = 96, control: str = "track", *lines: str
) -> str:
    head = f"m=video 0 RTP/AVP {payload_type}\r\na=rtpmap:{payload_type} {encoding}/90000\r\n"
    return head + f"a=control:{control}\r\n" + "".join(f"{line}\r\n" for line in lines)


def sprop(sps: str) -> str:
    return f"a=fmtp:96 packetization-mode=1; sprop-parameter-sets={sps},aOvjyyLA"


@pytest.mark.parametrize(
    ("lines", "size"),
    [
        (["a=framesize:96 1920-1080"], (1920, 1080)),
        (["a=x-dimensions:1920,1080"], (1920, 1080)),
        (["a=x-dimensions: 1920, 1080"], (1920, 1080)),
        (["a=imageattr:96 send [x=1280,y=720]"], (1280, 720)),
        (["a=cliprect:0,0,1080,1920"], (1920, 1080)),
        ([sprop(SPS_1080)], (1920, 1080)),
        ([sprop(SPS_360)], (640, 360)),
        (["a=framesize:96 0-0", sprop(SPS_360)], (640, 360)),
        ([sprop("Z0LAHg==")], None),
        ([sprop("!!!")], None),
        ([], None),
    ],
)
def test_the_size_is_found_wherever_cameras_tell_it(
    lines: list[str], size: tuple[int, int] | None
) -> None:
    (track,) = parse_description(description(video("H264", 96, "t", *lines))).tracks
    assert track.size == size


LARGE, SMALL = "a=framesize:96 1920-1080", "a=framesize:96 640-360"


@pytest.mark.parametrize(
    ("sections", "chosen"),
    [
        ([video("H264", 96, "sub", SMALL), video("H264", 96, "main", LARGE)], "main"),
        ([video("H264", 96, "main", LARGE), video("H264", 96, "sub", SMALL)], "main"),
        ([video("H264", 96, "sub", sprop(SPS_360)), video("H264", 96, "m", LARGE)], "m"),
        ([video("H265", 96, "a"), video("H264", 97, "b")], "b"),
        ([video("H264", 96, "a"), video("H264", 97, "b")], "a"),
        ([video("H265", 96, "a", LARGE), video("H264", 97, "b")], "a"),
        ([video("vnd.onvif.metadata", 96, "x", LARGE), video("JPEG", 26, "j")], "j"),
        (["m=audio 0 RTP/AVP 0\r\na=control:au\r\n", video("H264", 96, "v")], "v"),
        (["m=video 0 RTP/AVP 26\r\na=control:j\r\n"], "j"),
        (
            [
                video("H264", 96, "i", "a=fmtp:96 packetization-mode=2"),
                video("H264", 96, "n", "a=fmtp:96 packetization-mode=1"),
            ],
            "n",
        ),
        (["m=video 0 RTP/SAVP 96\r\na=rtpmap:96 H264/90000\r\n", video("JPEG", 26, "j")], "j"),
    ],
)
def test_the_largest_track_is_chosen_then_h264_then_the_first(
    sections: list[str], chosen: str
) -> None:
    assert choose_track(parse_description(description(*sections)).tracks, None).control == chosen


def test_the_same_of_two_equal_tracks_is_chosen_again_whatever_their_order() -> None:
    first = parse_description(description(video("H264", 96, "a"), video("H264", 96, "b"))).tracks
    turned = parse_description(description(video("H264", 96, "b"), video("H264", 96, "a"))).tracks
    before = choose_track(first, None).control
    assert choose_track(turned, None, before).control == before == "a"


@pytest.mark.parametrize(
    ("wanted", "control"),
    [(0, "trackID=1"), (1, "rtsp://h/s/trackID=2"), ("1", "rtsp://h/s/trackID=2"),
     ("trackID=2", "rtsp://h/s/trackID=2"), ("ID=1", "trackID=1")],
)  # fmt: skip
def test_the_setting_names_a_track_by_number_or_by_the_end_of_its_control(
    wanted: str | int, control: str
) -> None:
    sections = [video("H264", 96, "trackID=1", LARGE), video("H264", 96, "rtsp://h/s/trackID=2")]
    tracks = parse_description(description(*sections)).tracks
    assert choose_track(tracks, wanted).control == control


def test_a_track_that_is_not_there_is_answered_with_those_that_are() -> None:
    tracks = parse_description(description(video("H264", 96, "t=1", LARGE))).tracks
    with pytest.raises(RtspError, match=r"no track 'x'.*0 \(t=1, h264, 1920x1080\).*setting track"):
        choose_track(tracks, "x")


@pytest.mark.parametrize(
    ("sections", "complaint"),
    [
        ([], "offers no video"),
        (["m=audio 0 RTP/AVP 0\r\n"], "offers no video"),
        ([video("X-NONSENSE")], "offers only X-NONSENSE"),
        (["m=video 0 RTP/SAVP 96\r\na=rtpmap:96 H264/90000\r\n"], "only H264 under SRTP"),
        (["m=video 0 RTP/AVP ² 999 -1\r\n"], "cannot be recorded"),
    ],
)
def test_what_cannot_be_recorded_is_named(sections: list[str], complaint: str) -> None:
    with pytest.raises(RtspError, match=complaint):
        choose_track(parse_description(description(*sections)).tracks, None)


@pytest.mark.parametrize(
    ("body", "complaint"),
    [
        (b"", "without a description"),
        (b"<html>", "without a description"),
        (b"v=0\r\n" + b"a=x\r\n" * 5000, "more than 4096 lines"),
        (b"v=0\r\n" + b"m=audio 0 RTP/AVP 0\r\n" * 40, "more than 32 tracks"),
    ],
)
def test_what_is_no_description_is_refused(body: bytes, complaint: str) -> None:
    with pytest.raises(RtspError, match=complaint):
        parse_description(body)


def test_a_description_may_be_written_carelessly() -> None:
    body = b"v=0\nm=video 0 RTP/AVP 96\na=rtpmap:96  H264/90000\nA=x\na=Control: t \na=fmtp:96\n\n"
    (track,) = parse_description(body).tracks
    assert (track.control, track.format and track.format.codec) == ("t", "h264")


def test_what_the_camera_does_when_asked_for_a_keyframe_is_read() -> None:
    lines = ["a=rtcp-fb:96 nack pli", "a=rtcp-fb:* ccm fir", "a=rtcp-fb:96 nack"]
    (track,) = parse_description(description(video("H264", 96, "t", *lines))).tracks
    assert track.keyframes_on_request == {"pli", "fir"}
    (bare,) = parse_description(description(H264)).tracks
    assert bare.keyframes_on_request == frozenset()
