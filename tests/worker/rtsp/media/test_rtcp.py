from __future__ import annotations

import struct

import pytest

from touchline.worker.rtsp.media.rtcp import Bye, Reception, SenderReport, is_rtcp, read_reports

SR = struct.pack(">BBHIIIIII", 0x80, 200, 6, 7, 2_208_988_800 + 10, 1 << 31, 90_000, 1, 2)
SDES = b"\x81\xca\x00\x02" + b"\0\0\0\x07\x01\x00\0\0"
BYE = struct.pack(">BBHII", 0x82, 203, 2, 7, 8)


def rtp(number: int, ssrc: int = 7) -> bytes:
    return b"\x80\x60" + (number & 0xFFFF).to_bytes(2, "big") + bytes(4) + ssrc.to_bytes(4, "big")


def test_reports_of_a_compound_packet_are_read() -> None:
    report, bye = read_reports(SR + SDES + BYE)
    assert report == SenderReport(7, (2_208_988_810 << 32) + (1 << 31), 10_500_000_000, 90_000)
    assert bye == Bye((7, 8))


DAMAGED = [b"", SR[:20], SR[:-1], b"\x80\xc8\xff\xff" + bytes(20), b"\x9f\xcb\0\0\0\0\0\0"]


@pytest.mark.parametrize("damaged", DAMAGED)
def test_damaged_reports_are_passed_over(damaged: bytes) -> None:
    assert not [each for each in read_reports(damaged) if isinstance(each, SenderReport)]


@pytest.mark.parametrize(
    ("packet", "rtcp"), [(SR, True), (rtp(1), False), (b"\x80\xe0\0\0", False)]
)
def test_rtcp_is_told_from_rtp(packet: bytes, rtcp: bool) -> None:  # noqa: FBT001
    assert is_rtcp(packet) is rtcp


def block(report: bytes) -> tuple[int, int, int, int]:
    """SSRC, share lost of 256, lost in all, highest number."""
    assert report[:2] == b"\x81\xc9"
    ssrc, lost, highest = struct.unpack_from(">III", report, 8)
    return ssrc, lost >> 24, lost & 0xFFFFFF, highest


def test_losses_are_reported() -> None:
    reception = Reception(1)
    reception.received(rtp(65500))
    assert block(reception.report(1, 0.0)) == (7, 0, 0, 65500)
    reception.received(rtp(65600))  # 100 further, round the corner, of which 75 came
    assert block(reception.report(76, 5.0)) == (7, 64, 25, 65600)
    reception.received(rtp(65700))
    assert block(reception.report(176, 10.0)) == (7, 0, 25, 65700)


def test_more_than_a_round_of_numbers_between_two_reports_is_no_loss() -> None:
    reception = Reception(1)
    reception.received(rtp(0))
    reception.report(1, 0.0)
    reception.received(rtp(70_000))
    assert block(reception.report(70_001, 5.0))[1:3] == (0, 0)


def test_a_new_source_is_counted_anew() -> None:
    reception = Reception(1)
    reception.received(rtp(10))
    reception.report(1, 0.0)
    reception.received(rtp(50_000, ssrc=9))
    assert block(reception.report(11, 5.0)) == (9, 0, 0, 50_000)


def test_the_cameras_report_is_acknowledged() -> None:
    reception = Reception(1)
    reception.received(rtp(10))
    sent = SenderReport(7, 0x0000_1234_5678_0000, 0, 0)
    reception.sender(sent, at_s=1.0)
    assert struct.unpack_from(">II", reception.report(1, 1.5), 24) == (0x12345678, 32768)


def test_before_any_packet_a_report_has_no_block_and_keyframes_can_be_asked_for() -> None:
    reception = Reception(1)
    assert reception.report(0, 0.0)[:2] == b"\x80\xc9"
    reception.received(rtp(10))
    pli, fir = (reception.keyframe_request(3, full=full) for full in (False, True))
    assert pli[-12:] == struct.pack(">BBHII", 0x81, 206, 2, 1, 7)
    assert fir[-20:] == struct.pack(">BBHIIIB3x", 0x84, 206, 4, 1, 0, 7, 3)
