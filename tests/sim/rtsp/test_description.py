"""Descriptions of the simulated camera and their misbehaviours."""

from __future__ import annotations

import re
from typing import Any

import pytest

from support.rawclient import client_of, connected, wait_until
from support.rtsp import camera_in_thread


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
