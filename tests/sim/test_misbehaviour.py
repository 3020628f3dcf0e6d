"""Each misbehaviour of the simulated camera, as a client of its own meets it on the wire."""

from __future__ import annotations

import base64
import hashlib
import re
import socket
import threading
import time
from itertools import pairwise
from typing import Any

import pytest

from support.rawclient import Client, client_of, connected, wait_until
from support.rtsp import camera_in_thread
from touchline.media.h264 import units
from touchline.sim.rtsp.ledger import decodable

WORD = 0xFFFFFFFF


# ---------------------------------------------------------------- well-behaved


def test_a_well_behaved_camera_marks_the_last_packet_of_each_frame() -> None:
    with client_of() as client:
        client.play()
        frames = client.frames(10)
    assert [[p.marker for p in f][-1] for f in frames] == [True] * 10
    assert not any(p.marker for f in frames for p in f[:-1])
    assert {p.kind for p in frames[0]} >= {7, 8}
    numbers = [p.sequence for f in frames for p in f]
    assert numbers == [(numbers[0] + n) & 0xFFFF for n in range(len(numbers))]
    steps = {(b[0].stamp - a[0].stamp) & 0xFFFFFFFF for a, b in pairwise(frames)}
    assert steps <= {3000, 3001, 2999}


def test_the_ledger_holds_what_was_written() -> None:
    with camera_in_thread() as camera, connected(camera) as client:
        client.play()
        client.frames(10)
        wait_until(lambda: len(camera.ledger.entries("frame")) >= 10, "ten frames in the ledger")
        frames = decodable(camera.ledger.entries(), client=1)
        methods = [entry["method"] for entry in camera.ledger.entries("request")]
    counters = [frame["counter"] for frame in frames[:10]]
    assert counters == list(range(counters[0], counters[0] + 10))
    assert frames[0]["keyframe"]
    assert methods == ["SETUP", "PLAY"]


# ---------------------------------------------------------------------- coding


def playing(client: Client, frames: int) -> list[list[Any]]:
    client.play()
    return client.frames(frames)


def test_slices_come_with_a_marker_each() -> None:
    with client_of(slices=4, markers="each-slice") as client:
        frames = playing(client, 5)
    assert [sum(p.marker for p in frame) for frame in frames[1:]] == [4] * 4


def test_no_marker_at_all() -> None:
    with client_of(markers="none") as client:
        assert not any(p.marker for frame in playing(client, 5) for p in frame)


def test_access_unit_delimiters_come_first() -> None:
    with client_of(aud=True) as client:
        frames = playing(client, 5)
    assert [frame[0].kind for frame in frames] == [units.AUD] * 5
    assert [p.kind for p in frames[0]][1:3] == [units.SPS, units.PPS]


@pytest.mark.parametrize(
    ("sets", "in_sdp", "first", "second"),
    [
        ("both", True, True, False),
        ("sdp", True, False, False),
        ("band", False, True, False),
        ("each-frame", False, True, True),
    ],
)
def test_parameter_sets_are_where_they_are_asked_for(
    sets: str, *, in_sdp: bool, first: bool, second: bool
) -> None:
    with client_of(parameter_sets=sets) as client:
        described = client.ask("DESCRIBE")[1]
        frames = playing(client, 2)
    assert ("sprop-parameter-sets" in described) == in_sdp
    found = [any(p.kind == units.SPS for p in frame) for frame in frames]
    assert found == [first, second]


@pytest.mark.parametrize("pyramid", [False, True])
def test_b_frames_come_after_what_they_refer_to(*, pyramid: bool) -> None:
    with client_of(b_frames=3, b_pyramid=pyramid) as client:
        frames = playing(client, 12)
    steps = [(b[0].stamp - a[0].stamp + 2**31) % 2**32 - 2**31 for a, b in pairwise(frames)]
    assert any(step < 0 for step in steps)
    unused = [all(p.payload[0] & 0x60 == 0 for p in f if p.kind in {1, 28}) for f in frames]
    # In a pyramid the middle one of three is referred to.
    assert sum(unused) == pytest.approx(6 if pyramid else 9, abs=1)


def test_open_gops_have_keyframes_without_idr() -> None:
    options = {"b_frames": 2, "open_gop": True, "gop_s": 0.4, "packing": "whole"}
    with camera_in_thread(**options) as camera, connected(camera) as client:
        client.play()
        client.frames(40)
        keyframes = [e for e in camera.ledger.entries("frame") if e["keyframe"]]
    assert len(keyframes) >= 3
    assert sum(p.kind == units.IDR for p in client.rtp()) == 1


def sizes(client: Client) -> list[int]:
    return [len(p.payload) for p in client.rtp() if p.kind == units.SPS]


def test_the_picture_size_changes_when_told_to() -> None:
    options = {"resize_after": 0.2, "resize_to": "480x270", "on_signal": True, "gop_s": 10}
    with camera_in_thread(**options) as camera, connected(camera) as client:
        client.play()
        client.frames(10)
        assert {(e["width"], e["height"]) for e in camera.ledger.entries("frame")} == {(320, 180)}
        camera.begin()
        wait_until(
            lambda: any(e["width"] == 480 for e in camera.ledger.entries("frame")), "other size"
        )
        changed = next(e for e in camera.ledger.entries("frame") if e["width"] == 480)
        counters = [e["counter"] for e in camera.ledger.entries("frame")]
    assert changed["keyframe"]
    assert counters == list(range(counters[0], counters[0] + len(counters)))


def test_parameter_sets_change_at_one_size() -> None:
    with client_of(recode_after=0.2, gop_s=10) as client:
        playing(client, 15)
    found = {p.payload for p in client.rtp() if p.kind == units.SPS}
    assert len(found) == 2


def test_the_rate_changes() -> None:
    with client_of(rate_after=0.2, rate_to=15) as client:
        frames = playing(client, 14)
    steps = [(b[0].stamp - a[0].stamp) & WORD for a, b in pairwise(frames)]
    assert steps[0] == pytest.approx(3000, abs=1)
    assert steps[-1] == pytest.approx(6000, abs=1)


def test_a_client_first_gets_what_it_cannot_decode() -> None:
    with camera_in_thread(first_keyframe_after=0.4) as camera, connected(camera) as client:
        client.play()
        client.frames(20)
        frames = camera.ledger.entries("frame")
        usable = decodable(camera.ledger.entries(), client=1)
    first = next(n for n, e in enumerate(frames) if e["keyframe"])
    assert 1 <= first <= 14
    assert usable[0]["counter"] == frames[first]["counter"]


@pytest.mark.parametrize("how", ["fragments", "slices", "aggregates"])
def test_a_picture_without_an_end(how: str) -> None:
    with client_of(endless_unit_after=0.1, endless_unit=how) as client:
        client.play()
        client.get(1000)
        last = client.rtp()[-500:]
    assert len({p.stamp for p in last}) == 1
    assert not any(p.marker for p in last)


# ------------------------------------------------------------------------- RTP


def test_every_third_stamp_is_doubled() -> None:
    with camera_in_thread(double_stamp_every=3) as camera, connected(camera) as client:
        client.play()
        client.frames(6)
        sent = len(camera.ledger.entries("frame"))
    stamps = {p.stamp for p in client.rtp()}
    assert sent >= 8
    assert len(stamps) < sent


def test_constant_stamps() -> None:
    with client_of(constant_stamps=True) as client:
        client.play()
        packets = client.get(30)
    assert len({p.stamp for p in packets}) == 1


def test_stamps_pass_the_wrap_around() -> None:
    with client_of(stamp_start=2**32 - 9000, sequence_start=65_530) as client:
        frames = playing(client, 20)
    stamps, numbers = [f[0].stamp for f in frames], [p.sequence for f in frames for p in f]
    assert max(stamps) > 2**31 > min(stamps)
    assert numbers[0] == 65_530
    assert 0 in numbers
    assert {(b - a) & WORD for a, b in pairwise(stamps)} <= {2999, 3000, 3001}


@pytest.mark.parametrize("jump_s", [100.0, -100.0])
def test_stamps_jump(jump_s: float) -> None:
    with client_of(stamp_jump_after=0.2, stamp_jump_s=jump_s) as client:
        frames = playing(client, 15)
    steps = [(b[0].stamp - a[0].stamp + 2**31) % 2**32 - 2**31 for a, b in pairwise(frames)]
    odd = [step for step in steps if abs(step - 3000) > 2]
    assert odd == [pytest.approx(3000 + jump_s * 90_000, abs=2)]


def test_a_clock_that_is_too_fast() -> None:
    with client_of(drift_ppm=100_000) as client:
        frames = playing(client, 6)
    assert (frames[5][0].stamp - frames[0][0].stamp) & WORD == pytest.approx(16_500, abs=2)


def test_the_ssrc_changes_with_each_keyframe() -> None:
    with client_of(ssrc_each_keyframe=True, gop_s=0.2) as client:
        frames = playing(client, 20)
    ssrcs = [f[0].ssrc for f in frames]
    assert len(set(ssrcs)) >= 3
    changed = [b for a, b in pairwise(frames) if a[0].ssrc != b[0].ssrc]
    assert all(units.SPS in {p.kind for p in frame} for frame in changed)


def test_the_ssrc_changes_once() -> None:
    with client_of(ssrc_after=0.2, ssrc_new_stamps=True) as client:
        ssrcs = [f[0].ssrc for f in playing(client, 15)]
    assert sum(a != b for a, b in pairwise(ssrcs)) == 1


def test_sequence_numbers_jump() -> None:
    with client_of(sequence_jump_after=0.2) as client:
        numbers = [p.sequence for f in playing(client, 15) for p in f]
    assert sorted({(b - a) & 0xFFFF for a, b in pairwise(numbers)}) == [1, 20_001]


@pytest.mark.parametrize("extension", ["none", "one-byte", "two-byte", "onvif"])
@pytest.mark.parametrize("more", [{}, {"padding": 200, "csrc": 15}])
def test_headers_with_everything(extension: str, more: dict[str, int]) -> None:
    with client_of(extension=extension, **more) as client:
        frames = playing(client, 3)
    assert {p.kind for p in frames[0]} >= {units.SPS, units.PPS}
    assert bool(frames[0][0].data[0] & 0x10) == (extension != "none")
    assert frames[0][0].data[0] & 15 == more.get("csrc", 0)


@pytest.mark.parametrize(
    ("packing", "kinds"),
    [
        ("plain", {7, 8, 28, 1}),
        ("aggregate", {24, 28, 1}),
        ("fragment", {28}),
        ("whole", {7, 8, 5, 1}),
    ],
)
def test_units_are_packed_as_asked(packing: str, kinds: set[int]) -> None:
    with client_of(packing=packing, packet_bytes=1000) as client:
        frames = playing(client, 8)
    found = {p.kind for frame in frames for p in frame} - {6}
    assert found - {1} <= kinds
    assert kinds - {1} <= found


def test_packets_are_lost_swapped_and_doubled() -> None:
    with camera_in_thread(lose_every=7, packet_bytes=200) as camera, connected(camera) as client:
        numbers = [p.sequence for f in playing(client, 10) for p in f]
        wait_until(lambda: len(camera.ledger.entries("frame")) >= 10, "ten frames")
        assert not all(e["whole"] for e in camera.ledger.entries("frame"))
        assert len(decodable(camera.ledger.entries(), client=1)) < 10
    assert {(b - a) & 0xFFFF for a, b in pairwise(numbers)} == {1, 2}
    with client_of(reorder_every=5, packet_bytes=200) as client:
        numbers = [p.sequence for f in playing(client, 10) for p in f]
    assert {(b - a) & 0xFFFF for a, b in pairwise(numbers)} == {1, 2, 0xFFFF}
    with client_of(duplicate_every=3) as client:
        numbers = [p.sequence for f in playing(client, 10) for p in f]
    assert {(b - a) & 0xFFFF for a, b in pairwise(numbers)} == {0, 1}


@pytest.mark.parametrize(("reports", "count"), [("right", 1), ("none", 0), ("wrong-clock", 1)])
def test_sender_reports(reports: str, count: int) -> None:
    with client_of(sender_reports=reports) as client:
        playing(client, 5)
    assert len(client.rtcp()) == count
    for packet in client.rtcp():
        assert packet.data[1] == 200
        unix_s = int.from_bytes(packet.data[8:12], "big") - 2_208_988_800
        assert (abs(unix_s - time.time()) < 60) == (reports == "right")


def test_a_bye_is_the_last_that_comes() -> None:
    with client_of(bye_after=0.2) as client:
        client.play()
        while not client.rtcp() or client.rtcp()[-1].data[9] != 203:
            client._message()
        before = len(client.rtp())
        client.ask("OPTIONS")  # the connection stays
        assert len(client.rtp()) == before


# ---------------------------------------------------------- sessions, connections


def test_everything_is_held_back_and_then_comes_at_once() -> None:
    options = {"hold_after": 0.3, "hold_for": 1.0}
    with client_of(**options) as client:
        frames = playing(client, 45)
    pauses = [(b[0].at_s - a[0].at_s, n) for n, (a, b) in enumerate(pairwise(frames))]
    longest_s, at = max(pauses)
    assert longest_s >= 0.8
    assert frames[at + 22][0].at_s - frames[at + 1][0].at_s < 0.5
    assert {(b[0].stamp - a[0].stamp) & WORD for a, b in pairwise(frames)} <= {2999, 3000, 3001}


def test_it_is_held_back_again_and_again() -> None:
    with client_of(hold_after=0.1, hold_for=0.3, hold_every=0.1) as client:
        frames = playing(client, 40)
    assert sum(b[0].at_s - a[0].at_s > 0.15 for a, b in pairwise(frames)) >= 2


def test_a_silent_start() -> None:
    with client_of(silent_for=0.5) as client:
        asked_s = time.monotonic()
        client.play()
        answered_s = time.monotonic()
        first = client.get(1)[0]
    assert answered_s - asked_s < first.at_s - asked_s
    assert first.at_s - asked_s >= 0.5


@pytest.mark.parametrize("how", ["end", "reset"])
def test_the_connection_is_closed(how: str) -> None:
    expected = EOFError if how == "end" else ConnectionResetError
    with client_of(close_after=0.2, close_how=how) as client, pytest.raises(expected):  # noqa: PT012
        client.play()
        client.get(100_000)


def test_one_client_is_enough() -> None:
    with camera_in_thread(max_clients=1) as camera, connected(camera) as first:
        playing(first, 2)
        with connected(camera) as second:
            answer, _ = second.ask("SETUP", Transport="RTP/AVP/TCP;interleaved=0-1")
    assert " 453 " in answer


def test_a_session_lasts_as_long_as_the_right_request_comes() -> None:
    options = {"session_timeout": 2, "alive_by": "get_parameter"}
    with camera_in_thread(**options) as camera, connected(camera) as client:
        client.play()
        until_s = time.monotonic() + 2.5
        while time.monotonic() < until_s:
            client.ask("GET_PARAMETER")
            time.sleep(0.1)
        assert camera.ledger.entries("session_timed_out") == []
        with pytest.raises((EOFError, OSError)):  # noqa: PT012  (as often as it goes)
            while True:
                client.ask("OPTIONS")
                time.sleep(0.05)
        assert len(camera.ledger.entries("session_timed_out")) == 1


def test_it_asks_its_client() -> None:
    with client_of(ask_client_every=0.1) as client:
        client.play()
        while len(client.asked) < 3:
            client._message()
    assert set(client.asked) == {"OPTIONS", "GET_PARAMETER", "SET_PARAMETER"}


def test_stray_bytes_stand_between_packets() -> None:
    with client_of(stray_bytes=5) as client:
        client.play()
        while b"$" not in client._need(2000)[5:]:
            client._more()
        assert client.data[:5] == b"\r\n\0\0 "
        assert client.data[5:6] == b"$"


def test_packets_on_a_foreign_channel() -> None:
    with client_of(stray_channel=True) as client:
        playing(client, 3)
    assert any(p.channel == 99 for p in client.packets)


def test_other_channels_than_asked() -> None:
    with client_of(channels="other") as client:
        client.play()
        assert {p.channel for p in client.get(5)} == {10}


def test_media_before_the_answer() -> None:
    with client_of(media_before_answer=True) as client:
        client.play()
        assert len(client.rtp()) > 0


@pytest.mark.parametrize(
    ("transports", "asked", "status"),
    [
        ("tcp", "RTP/AVP;unicast;client_port=5000-5001", 461),
        ("udp", "RTP/AVP/TCP;interleaved=0-1", 461),
        ("both", "RTP/AVP;multicast", 461),
        ("both", "RTP/AVP;unicast;client_port=5000-5001", 200),
    ],
)
def test_transports(transports: str, asked: str, status: int) -> None:
    with client_of(transports=transports) as client:
        assert f" {status} " in client.ask("SETUP", Transport=asked)[0]


def test_media_over_udp() -> None:
    with (
        socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as port,
        client_of() as client,
    ):
        port.bind(("127.0.0.1", 0))
        port.settimeout(10)
        number = port.getsockname()[1]
        client.play(transport=f"RTP/AVP;unicast;client_port={number}-{number + 1}")
        assert port.recv(2000)[0] == 0x80


# ------------------------------------------------------------------------ RTSP


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({"no_reason": True}, r"^RTSP/1.0 200\r\n"),
        ({"cseq": "wrong"}, r"CSeq: 8\r\n"),
        ({"header_case": "lower"}, r"\ncseq: 1\r\n"),
        ({"header_case": "upper"}, r"\nCSEQ: 1\r\n"),
        ({"line_end": "lf"}, r"200 OK\nCSeq: 1\n"),
        ({"content_base": "no-slash"}, r"Content-Base: rtsp://\S+/cam\r\n"),
        ({"content_base": "other-host"}, r"Content-Base: rtsp://192.0.2.1:554/cam/\r\n"),
        ({"split_answers": 3}, r"Content-Type: application/sdp"),
        ({"huge_header": 100_000}, r"X-Filler: x{100000}\r\n"),
        ({"redirect": "self"}, r"302 .*\r\n(.*\r\n)*Location: rtsp://127.0.0.1:\d+/cam$"),
        ({"redirect": "endless"}, r"Location: rtsp://127.0.0.1:\d+/cam\?hop=1"),
        ({"redirect": "rtsp://other/x"}, r"Location: rtsp://other/x"),
        ({"refuse": ["DESCRIBE=503"]}, r"^RTSP/1.0 503 "),
    ],
)
def test_the_head_of_a_description(options: dict[str, Any], wanted: str) -> None:
    with client_of(**options) as client:
        head, _ = client.ask("DESCRIBE")
    assert re.search(wanted, head), head


@pytest.mark.parametrize("options", [{"cseq": "missing"}, {"content_base": "missing"}])
def test_headers_that_are_missing(options: dict[str, Any]) -> None:
    with client_of(**options) as client:
        head, _ = client.ask("DESCRIBE")
    assert {"cseq": "CSeq", "content_base": "Content-Base"}[next(iter(options))] not in head


@pytest.mark.parametrize(
    ("options", "wanted"),
    [
        ({}, r"a=x-dimensions:320,180"),
        ({"sdp_size": "framesize"}, r"a=framesize:96 320-180"),
        ({"sdp_size": "cliprect"}, r"a=cliprect:0,0,180,320"),
        ({"sdp_rate": "wrong"}, r"a=framerate:1\r"),
        ({"control": "absolute"}, r"a=control:rtsp://127.0.0.1:\d+/cam/trackID=0"),
        ({"control": "path"}, r"a=control:/cam/trackID=0"),
        ({"control": "star"}, r"(?s)m=video.*a=control:\*"),
        ({"payload_type": 111}, r"m=video 0 RTP/AVP 111"),
        ({"metadata_track": True}, r"(?s)m=application.*m=video"),
        ({"second_track": "640x360"}, r"(?s)320,180.*640,360"),
        ({"second_track": "640x360", "second_first": True}, r"(?s)640,360.*320,180"),
        ({"audio": True}, r"(?s)m=video.*m=audio"),
    ],
)
def test_the_description(options: dict[str, Any], wanted: str) -> None:
    with client_of(**options) as client:
        _, body = client.ask("DESCRIBE")
    assert re.search(wanted, body), body


def test_tracks_change_places_with_each_description() -> None:
    with client_of(second_track="640x360", tracks_alternate=True) as client:
        found = [re.findall(r"x-dimensions:(\d+)", client.ask("DESCRIBE")[1]) for _ in range(3)]
    assert found == [["320", "640"], ["640", "320"], ["320", "640"]]


def test_both_tracks_are_sent_with_the_same_counters() -> None:
    with camera_in_thread(second_track="640x360") as camera, connected(camera) as client:
        for track in (0, 1):
            channels = f"{2 * track}-{2 * track + 1}"
            client.ask(
                "SETUP",
                f"{client.url}/trackID={track}",
                Transport=f"RTP/AVP/TCP;interleaved={channels}",
            )
        client.ask("PLAY")
        client.get(40)
        wait_until(lambda: len(camera.ledger.entries("frame")) >= 8, "eight frames")
        entries = camera.ledger.entries("frame")
    assert {(e["track"], e["width"]) for e in entries} == {(0, 320), (1, 640)}
    first, second = ([e["counter"] for e in entries if e["track"] == t][:4] for t in (0, 1))
    assert first == second


def test_an_oversized_description() -> None:
    with client_of(huge_sdp=1_000_000) as client:
        assert len(client.ask("DESCRIBE")[1]) > 1_000_000


@pytest.mark.parametrize("part", ["headers", "body"])
def test_an_answer_without_an_end(part: str) -> None:
    with client_of(endless_answer=part) as client:
        client.connection.sendall(b"DESCRIBE %s RTSP/1.0\r\nCSeq: 1\r\n\r\n" % client.url.encode())
        assert len(client._need(2_000_000)) >= 2_000_000


@pytest.mark.parametrize(
    ("form", "wanted"),
    [
        ("timeout", r"Session: \w+;timeout=60"),
        ("plain", r"Session: \w+$"),
        ("spaces", r"Session: \w+ ; timeout = 60"),
        ("long", r"Session: [\w.+$-]{200,};timeout=60"),
        ("new-each-time", r"Session: \w+;timeout=60"),
    ],
)
def test_session_headers(form: str, wanted: str) -> None:
    with client_of(session_header=form) as client:
        assert re.search(wanted, client.play()), form


@pytest.mark.parametrize("info", ["right", "missing", "wrong"])
def test_rtp_info(info: str) -> None:
    with client_of(rtp_info=info) as client:
        head = client.play()
        first = client.get(1)[0]
    found = re.search(r"RTP-Info: .*;seq=(\d+);rtptime=(\d+)", head)
    assert bool(found) == (info != "missing")
    if found:
        assert (int(found[1]) == first.sequence) == (info == "right")


def test_methods_are_refused_and_not_listed() -> None:
    with client_of(refuse=["GET_PARAMETER=501", "PLAY=453"], refuse_times=1) as client:
        listed = client.ask("OPTIONS")[0]
        assert "GET_PARAMETER" not in listed
        assert "SET_PARAMETER" in listed
        assert " 501 " in client.ask("GET_PARAMETER")[0]
        assert " 200 " in client.ask("GET_PARAMETER")[0]
        assert " 453 " in client.play()
        assert " 200 " in client.ask("PLAY")[0]


@pytest.mark.parametrize(("public", "listed"), [("all", True), ("missing", False)])
def test_public_lies(public: str, *, listed: bool) -> None:
    with client_of(public=public, refuse=["GET_PARAMETER=501"]) as client:
        assert ("GET_PARAMETER" in client.ask("OPTIONS")[0]) == listed


def test_teardown_is_not_answered() -> None:
    with client_of(no_teardown_answer=True) as client:
        client.play()
        client.connection.settimeout(0.4)
        with pytest.raises(TimeoutError):
            client.ask("TEARDOWN")


def test_answers_take_their_time() -> None:
    with client_of(answer_after=0.3) as client:
        began_s = time.monotonic()
        client.ask("OPTIONS")
    assert time.monotonic() - began_s >= 0.3


@pytest.mark.parametrize(
    "sent", [b"\x80" * 70_000, b"GARBAGE\r\n\r\n", b"PLAY x RTSP/1.0\r\nContent-Length: -4\r\n\r\n"]
)
def test_what_is_no_request_ends_the_connection(sent: bytes) -> None:
    with client_of() as client:
        client.connection.sendall(sent)
        with pytest.raises((EOFError, ConnectionResetError)):
            client._message()


# ----------------------------------------------------------------- signing in

SIGNED = {"user": "coach", "password": "p@ss"}


def digest(challenge: str, method: str, uri: str, password: str = "p@ss") -> str:
    """An Authorization header for a Digest challenge, after RFC 7616."""
    given = dict(re.findall(r'(\w+)="?([^",]+)"?', challenge))
    make = hashlib.sha256 if given.get("algorithm") == "SHA-256" else hashlib.md5

    def h(text: str) -> str:
        return make(text.encode()).hexdigest()

    first, second = h(f"coach:{given['realm']}:{password}"), h(f"{method}:{uri}")
    middle, more = given["nonce"], ""
    if "qop" in given:
        middle += ":00000001:abc:auth"
        more = ', qop=auth, nc=00000001, cnonce="abc"'
    algorithm = f", algorithm={given['algorithm']}" if "algorithm" in given else ""
    return (
        f'Digest username="coach", realm="{given["realm"]}", nonce="{given["nonce"]}",'
        f' uri="{uri}", response="{h(f"{first}:{middle}:{second}")}"{more}{algorithm}'
    )


def challenges(head: str) -> list[str]:
    return re.findall(r"WWW-Authenticate: (.*?)(?:\r|$)", head)


@pytest.mark.parametrize("qop", ["auth", "none"])
@pytest.mark.parametrize(
    ("auth", "offered"),
    [
        ("digest", ["MD5"]),
        ("digest-sha256", ["SHA-256"]),
        ("digest-both", ["SHA-256", "MD5"]),
        ("basic-and-digest", ["Basic", "MD5"]),
    ],
)
def test_digests(auth: str, offered: list[str], qop: str) -> None:
    with client_of(**SIGNED, auth=auth, qop=qop) as client:
        head, _ = client.ask("DESCRIBE")
        found = challenges(head)
        assert len(found) == len(offered)
        for challenge in found:
            assert (" qop=" in challenge) == (qop == "auth" and challenge.startswith("Digest"))
            if challenge.startswith("Digest"):
                answer = digest(challenge, "DESCRIBE", client.url)
                assert " 200 " in client.ask("DESCRIBE", Authorization=answer)[0]
        wrong = digest(found[-1], "DESCRIBE", client.url, password="other")
        assert " 401 " in client.ask("DESCRIBE", Authorization=wrong)[0]


def test_sha256_only_refuses_md5() -> None:
    with client_of(**SIGNED, auth="digest-sha256") as client:
        challenge = challenges(client.ask("DESCRIBE")[0])[0].replace("SHA-256", "MD5")
        answer = digest(challenge, "DESCRIBE", client.url)
        assert " 401 " in client.ask("DESCRIBE", Authorization=answer)[0]


def test_a_nonce_goes_stale() -> None:
    with client_of(**SIGNED, auth="digest", stale_nonce_every=2) as client:
        challenge = challenges(client.ask("DESCRIBE")[0])[0]
        answer = digest(challenge, "DESCRIBE", client.url)
        heads = [client.ask("DESCRIBE", Authorization=answer)[0] for _ in range(3)]
    assert [" 200 " in head for head in heads] == [True, True, False]
    assert "stale=true" in heads[2]


def basic(password: str) -> str:
    return f"Basic {base64.b64encode(f'coach:{password}'.encode()).decode()}"


def test_wrong_sign_ins_are_counted_and_lock_everybody_out() -> None:
    options = {**SIGNED, "lock_after": 2, "lock_for": 0.4}
    with camera_in_thread(**options) as camera, connected(camera) as client:
        client.ask("DESCRIBE")
        for _ in range(2):
            assert " 401 " in client.ask("DESCRIBE", Authorization=basic("wrong"))[0]
        assert " 403 " in client.ask("DESCRIBE", Authorization=basic("p@ss"))[0]
        outcomes = [entry["outcome"] for entry in camera.ledger.entries("sign_in")]
        assert outcomes == ["wrong", "wrong", "locked"]
        wait_until(
            lambda: " 200 " in client.ask("DESCRIBE", Authorization=basic("p@ss"))[0], "unlocked"
        )


def test_credentials_that_reach_another_camera_are_in_its_ledger() -> None:
    with camera_in_thread() as other:
        with client_of(redirect=other.url) as client:
            head, _ = client.ask("DESCRIBE")
            to = re.search(r"Location: (\S+)", head)
            assert to
        with connected(other) as client:
            client.ask("DESCRIBE", to[1], Authorization=basic("p@ss"))
        (entry,) = other.ledger.entries("request")
    assert entry["authorization"] == "basic"


def test_nothing_of_a_camera_is_left_behind() -> None:
    before = threading.active_count()
    with camera_in_thread() as camera, connected(camera) as client:
        playing(client, 2)
    wait_until(lambda: threading.active_count() <= before, "threads end")
