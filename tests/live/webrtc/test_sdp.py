"""Offers of real browsers and of hostile ones, and what is answered."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from touchline.live.webrtc import sdp

CHROMIUM = (Path(__file__).parents[2] / "assets" / "chromium_offer.sdp").read_text()

BASELINE, MAIN, HIGH = bytes.fromhex("42e01f"), bytes.fromhex("4d4028"), bytes.fromhex("640028")

LOCAL = sdp.Local(
    ice_username="us3r",
    ice_password="ours" * 6,
    fingerprints=(("sha-256", "AA:BB"),),
    candidates=("1 1 udp 1 192.0.2.1 5000 typ host",),
    ssrc=1,
    rtx_ssrc=2,
    cname="c",
    stream="cam0",
)

PLAYER = """\
v=0
o=- 1 1 IN IP4 127.0.0.1
s=-
t=0 0
a=group:BUNDLE 0 1
a=fingerprint:SHA-256 01:02
m=audio 9 UDP/TLS/RTP/SAVPF 111
a=ice-ufrag:abcd
a=ice-pwd:aaaaaaaaaaaaaaaaaaaaaaaa
a=setup:actpass
a=mid:0
a=recvonly
a=rtcp-mux
a=rtpmap:111 opus/48000/2
m=video 0 UDP/TLS/RTP/SAVPF 96
a=bundle-only
a=mid:1
a=recvonly
a=rtcp-mux
a=rtpmap:96 H264/90000
a=fmtp:96 packetization-mode=1;profile-level-id=42e01f
a=rtcp-fb:* nack pli
""".replace("\n", "\r\n")
"""What a WHEP player sends: sound and pictures in one bundle, the transport described once."""


def lines_of(answer: str, kind: str) -> list[str]:
    """The lines of the answer's first section of that kind."""
    lines = answer.splitlines()
    start = next(n for n, line in enumerate(lines) if line.startswith(f"m={kind}"))
    rest = [n for n, line in enumerate(lines) if n > start and line.startswith("m=")]
    return lines[start : rest[0] if rest else None]


@pytest.mark.parametrize(
    ("profile", "payload_type", "rtx"),
    [(BASELINE, 102, 103), (MAIN, 116, 117), (HIGH, 116, 117), (None, 102, 103)],
)
def test_the_payload_type_comes_from_the_offer_and_suits_the_stream(
    profile: bytes | None, payload_type: int, rtx: int
) -> None:
    chosen = sdp.parse_offer(CHROMIUM).choose(profile)
    assert (chosen.payload_type, chosen.rtx_payload_type) == (payload_type, rtx)
    assert chosen.fragments
    assert chosen.feedback == ("nack", "nack pli")


def test_a_stream_beyond_high_gets_the_format_beyond_high() -> None:
    assert sdp.parse_offer(CHROMIUM).choose(bytes.fromhex("7a0028")).payload_type == 41


def test_a_stream_that_is_richer_than_all_that_is_offered_gets_the_richest() -> None:
    offer = sdp.parse_offer(PLAYER.replace("42e01f", "42001f"))
    assert offer.choose(HIGH).payload_type == 96


def test_a_format_that_cannot_be_cut_into_packets_is_the_last_choice() -> None:
    without = CHROMIUM.replace("packetization-mode=1", "packetization-mode=0", 1)
    assert sdp.parse_offer(without).choose(BASELINE).payload_type == 108


def test_the_answer_sends_one_stream_in_the_offered_format_with_our_level() -> None:
    offer = sdp.parse_offer(CHROMIUM)
    chosen = offer.choose(MAIN)
    answer = sdp.render_answer(offer, chosen, LOCAL, profile=MAIN, session=7)
    video = lines_of(answer, "video")
    assert video[0] == "m=video 9 UDP/TLS/RTP/SAVPF 116 117"
    assert "a=sendonly" in video
    assert "a=setup:passive" in video
    assert "a=fmtp:117 apt=116" in video
    assert "a=ssrc-group:FID 1 2" in video
    assert "a=candidate:1 1 udp 1 192.0.2.1 5000 typ host" in video
    fmtp = next(line for line in video if line.startswith("a=fmtp:116"))
    assert fmtp.endswith("profile-level-id=4d0028")  # the offered profile, the stream's level
    assert "a=group:BUNDLE 0" in answer


def test_sound_is_refused_and_the_transport_is_found_in_the_bundles_first_section() -> None:
    offer = sdp.parse_offer(PLAYER)
    assert (offer.ice_username, offer.fingerprints) == ("abcd", (("sha-256", "01:02"),))
    answer = sdp.render_answer(offer, offer.choose(BASELINE), LOCAL, profile=BASELINE, session=7)
    assert lines_of(answer, "audio") == [
        "m=audio 0 UDP/TLS/RTP/SAVPF 111",
        "c=IN IP4 0.0.0.0",
        "a=inactive",
        "a=mid:0",
    ]
    assert "a=group:BUNDLE 1" in answer
    assert "a=rtcp-fb:96 nack pli" in answer


@pytest.mark.parametrize(
    ("offer", "reason"),
    [
        ("", "not SDP"),
        ("hello", "not SDP"),
        ("v=0\r\nm=video\r\n", "invalid section"),
        (PLAYER.replace("actpass", "holdconn"), "DTLS role"),
        (PLAYER.replace("a=rtcp-mux\r\n", ""), "rtcp-mux"),
        (PLAYER.replace("a=fingerprint:SHA-256 01:02\r\n", ""), "fingerprint"),
        (PLAYER.replace("abcd", "a b"), "ICE user name"),
        (PLAYER.replace("a=mid:1", "a=mid:1 2"), "invalid name"),
        ("v=0\r\n" + "a=x\r\n" * sdp.MAX_LINES, "lines"),
    ],
)
def test_a_broken_offer_is_refused_with_the_reason(offer: str, reason: str) -> None:
    with pytest.raises(sdp.BadOffer, match=reason) as caught:
        sdp.parse_offer(offer)
    assert not isinstance(caught.value, sdp.NotAcceptable)


@pytest.mark.parametrize(
    "offer",
    [
        PLAYER.replace("H264", "VP8"),
        PLAYER.replace("m=video", "m=text"),
        PLAYER.replace("a=bundle-only", "a=sendonly"),
        PLAYER.replace("a=bundle-only", "a=inactive"),
    ],
)
def test_an_offer_that_takes_no_h264_is_told_apart_from_a_broken_one(offer: str) -> None:
    with pytest.raises(sdp.NotAcceptable):
        sdp.parse_offer(offer)


@given(st.data())
def test_no_offer_breaks_the_reader_or_gets_a_line_of_its_own_into_the_answer(
    data: st.DataObject,
) -> None:
    lines = PLAYER.splitlines()
    for _ in range(data.draw(st.integers(1, 4))):
        at = data.draw(st.integers(0, len(lines) - 1))
        lines[at] = data.draw(
            st.one_of(
                st.text(max_size=40),
                st.sampled_from(lines).map(lambda line: f"{line} \x0b\u2028a=evil"),
                st.sampled_from(lines).map(lambda line: line[:-3]),
            )
        )
    try:
        offer = sdp.parse_offer("\r\n".join(lines))
    except sdp.BadOffer:
        return
    answer = sdp.render_answer(offer, offer.choose(HIGH), LOCAL, profile=HIGH, session=1)
    assert all(line[1:2] == "=" and "evil" not in line[:6] for line in answer.split("\r\n")[:-1])


@pytest.mark.parametrize(
    ("offered", "ours"), [("actpass", "passive"), ("active", "passive"), ("passive", "active")]
)
def test_we_take_the_dtls_role_that_the_offer_leaves_us(offered: str, ours: str) -> None:
    offer = sdp.parse_offer(PLAYER.replace("actpass", offered))
    answer = sdp.render_answer(offer, offer.formats[0], LOCAL, profile=None, session=1)
    assert f"a=setup:{ours}" in answer.splitlines()
    assert offer.dtls_client == (ours == "active")


@pytest.mark.parametrize("word", ["²", "٣", "9" * 5000, "128", "-1", "1_0"])
def test_a_payload_type_that_is_no_number_of_rtp_is_left_out(word: str) -> None:
    offer = PLAYER.replace("SAVPF 96", f"SAVPF {word} 96").replace(
        "a=rtpmap:96", f"a=rtpmap:{word} H264/90000\r\na=fmtp:{word} x=1\r\na=rtpmap:96"
    )
    if not word.isascii():
        with pytest.raises(sdp.BadOffer):
            sdp.parse_offer(offer)
        return
    assert [each.payload_type for each in sdp.parse_offer(offer).formats] == [96]


@pytest.mark.parametrize("extra", ["\x1b[2J", "\x00", "\u202e"])
def test_nothing_unprintable_is_repeated_in_an_answer(extra: str) -> None:
    with pytest.raises(sdp.BadOffer):
        sdp.parse_offer(PLAYER.replace("SAVPF 111", f"SAVPF 111{extra}"))


def test_only_a_known_mode_is_repeated() -> None:
    offer = sdp.parse_offer(PLAYER.replace("packetization-mode=1", "packetization-mode=1x"))
    answer = sdp.render_answer(offer, offer.choose(None), LOCAL, profile=None, session=1)
    assert "packetization-mode=0;" in answer


@pytest.mark.parametrize(
    ("candidate", "reachable"),
    [
        ("1 1 udp 2122260223 192.0.2.7 50000 typ host generation 0", True),
        ("1 1 UDP 1 2001:db8::1 50000 typ srflx raddr 0.0.0.0 rport 0", True),
        ("1 1 udp 1 8f3d.local 50000 typ host", False),
        ("1 1 tcp 1 192.0.2.7 9 typ host tcptype active", False),
    ],
)
def test_a_candidate_is_tried_where_it_can_be(candidate: str, reachable: bool) -> None:  # noqa: FBT001
    assert sdp.is_reachable(candidate) is reachable


@pytest.mark.parametrize(
    "candidate",
    [
        "1 1 udp 1 192.0.2.7 50000 type host",
        "1 ² udp 1 192.0.2.7 50000 typ host",
        "1 1 udp " + "9" * 5000 + " 192.0.2.7 50000 typ host",
        "1 1 udp 1 192.0.2.7 65536 typ host",
        "1 1 udp 1 192.0.2.7 5e4 typ host",
        "1 1 udp 1 ../../etc 50000 typ host",
        "1 1 udp 1 \x1b[2J 50000 typ host",
        "1 1 udp 1 192.0.2.7 50000 typ host rport ²",
        "1 1 udp 1 192.0.2.7 50000 typ host " + "x" * 2000,
    ],
)
def test_a_candidate_that_cannot_be_read_is_refused(candidate: str) -> None:
    with pytest.raises(sdp.BadOffer):
        sdp.is_reachable(candidate)


@given(st.text(st.characters(exclude_categories=()), max_size=200))
def test_no_candidate_raises_anything_else(candidate: str) -> None:
    try:
        sdp.is_reachable(candidate)
    except sdp.BadOffer:
        return
