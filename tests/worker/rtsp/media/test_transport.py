from __future__ import annotations

import pytest

from touchline.worker.rtsp.media.transport import (
    Choice,
    Granted,
    Way,
    build_transport,
    granted_transport,
    ways,
)


@pytest.mark.parametrize(
    ("choice", "tls", "before", "expected"),
    [
        ("tcp", False, None, ("tcp", "udp")),
        ("udp", False, None, ("udp", "tcp")),
        ("auto", False, None, ("udp", "tcp")),
        ("auto", False, "tcp", ("tcp", "udp")),
        ("udp", True, None, ("tcp",)),
        ("auto", True, "udp", ("tcp",)),
    ],
)
def test_ways_are_tried_as_chosen_and_learned(
    choice: Choice, before: Way | None, expected: tuple[Way, ...], *, tls: bool
) -> None:
    assert ways(choice, tls=tls, before=before) == expected


@pytest.mark.parametrize(
    ("header", "asked", "granted"),
    [
        ("RTP/AVP/TCP;unicast;interleaved=4-5", "tcp", Granted("tcp", (4, 5), None, None)),
        ("RTP/AVP/TCP;interleaved=2;ssrc=1", "tcp", Granted("tcp", (2, 3), None, None)),
        (None, "tcp", Granted("tcp", (0, 1), None, None)),
        ("RTP/AVP/TCP;interleaved=0-999", "tcp", Granted("tcp", (0, 1), None, None)),
        (
            "RTP/AVP;unicast;client_port=5-6;server_port=7000-7001;source=10.0.0.9",
            "udp",
            Granted("udp", (0, 1), (7000, 7001), "10.0.0.9"),
        ),
        ("RTP/AVP;interleaved=0-1", "udp", Granted("tcp", (0, 1), None, None)),
        ("rtp/avp;Server_Port=7000-7001", "tcp", Granted("udp", (0, 1), (7000, 7001), None)),
    ],
)
def test_what_the_camera_grants_counts(header: str | None, asked: Way, granted: Granted) -> None:
    assert granted_transport(header, asked) == granted


def test_the_request_names_ports_over_udp_and_channels_over_tcp() -> None:
    assert build_transport("tcp", None) == "RTP/AVP/TCP;unicast;interleaved=0-1"
    assert build_transport("udp", (5000, 5001)) == "RTP/AVP;unicast;client_port=5000-5001"
