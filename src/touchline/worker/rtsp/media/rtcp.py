"""RTCP (RFC 3550, RFC 4585): reports from the camera about its stream, and reports to it."""

from __future__ import annotations

import struct
from dataclasses import dataclass

_SENDER_REPORT, _RECEIVER_REPORT, _DESCRIPTION, _BYE = 200, 201, 202, 203
_FEEDBACK = 206
_PLI, _FIR = 1, 4
_NTP_TO_UNIX_S = 2_208_988_800
_HEAD = struct.Struct(">BBH")
_SENDER = struct.Struct(">IIII")


@dataclass(frozen=True)
class SenderReport:
    """The camera's clock at one of its RTP times; `ntp_ns` counts from 1970."""

    ssrc: int
    ntp: int
    ntp_ns: int
    rtp_time: int


@dataclass(frozen=True)
class Bye:
    """The end of these streams, sent by the camera."""

    ssrcs: tuple[int, ...]


def is_rtcp(packet: bytes) -> bool:
    """Return whether a packet is RTCP instead of RTP, by its type (RFC 5761)."""
    return len(packet) >= 4 and 192 <= packet[1] <= 223


def read_reports(packet: bytes) -> list[SenderReport | Bye]:
    """Parse the relevant parts of a compound packet; a damaged rest is skipped."""
    found: list[SenderReport | Bye] = []
    at = 0
    while at + 8 <= len(packet) and len(found) < 32:
        first, kind, words = _HEAD.unpack_from(packet, at)
        stop = at + 4 * (words + 1)
        if first >> 6 != 2 or stop > len(packet):
            break
        if kind == _SENDER_REPORT and stop - at >= 28:
            ssrc, seconds, fraction, rtp_time = _SENDER.unpack_from(packet, at + 4)
            ntp_ns = (seconds - _NTP_TO_UNIX_S) * 1_000_000_000 + (fraction * 10**9 >> 32)
            found.append(SenderReport(ssrc, seconds << 32 | fraction, ntp_ns, rtp_time))
        elif kind == _BYE:
            count = min(first & 0x1F, words)
            found.append(Bye(struct.unpack_from(f">{count}I", packet, at + 4)))
        at = stop
    return found


class Reception:
    """Reception statistics of a stream for the receiver reports to the camera."""

    def __init__(self, own_ssrc: int) -> None:
        self._own_ssrc = own_ssrc
        self._last: bytes | None = None
        """The newest RTP packet; everything else is computed when a report is due."""
        self._received_before = 0
        self._reported: tuple[int, int] | None = None
        self._highest = 0
        self._expected = 0
        self._total = 0
        self._sender: tuple[SenderReport, float] | None = None

    @property
    def ssrc(self) -> int | None:
        """The SSRC of the stream; None before the first packet."""
        return None if self._last is None else int.from_bytes(self._last[8:12], "big")

    def received(self, packet: bytes) -> None:
        """Record the newest RTP packet."""
        self._last = packet

    def sender(self, report: SenderReport, at_s: float) -> None:
        """Record a sender report and its arrival."""
        self._sender = report, at_s

    def report(self, packets: int, now_s: float) -> bytes:
        """Build a receiver report; `packets` is the total number of packets received."""
        ssrc = self.ssrc
        blocks = b"" if ssrc is None or self._last is None else self._block(ssrc, packets, now_s)
        count = 1 if blocks else 0
        head = _HEAD.pack(0x80 | count, _RECEIVER_REPORT, 1 + len(blocks) // 4)
        return head + self._own_ssrc.to_bytes(4, "big") + blocks + self._name()

    def _block(self, ssrc: int, packets: int, now_s: float) -> bytes:
        sequence = int.from_bytes((self._last or b"")[2:4], "big")
        received, self._received_before = packets - self._received_before, packets
        if self._reported is None or self._reported[0] != ssrc:
            self._highest, self._expected, self._total, expected = (
                sequence,
                received,
                received,
                received,
            )
        else:
            expected = (sequence - self._reported[1]) & 0xFFFF
            expected += 0x10000 * max(0, round((received - expected) / 0x10000))
            self._highest = (self._highest + expected) & 0xFFFFFFFF
            self._expected += expected
            self._total += received
        self._reported = ssrc, sequence
        lost = max(0, expected - received)
        fraction = min(255, (lost << 8) // expected) if expected else 0
        total = min(max(0, self._expected - self._total), 0x7FFFFF)
        since, delay = 0, 0
        if self._sender is not None and self._sender[0].ssrc == ssrc:
            since = self._sender[0].ntp >> 16 & 0xFFFFFFFF
            delay = min(int((now_s - self._sender[1]) * 65536), 0xFFFFFFFF)
        return struct.pack(">IIIIII", ssrc, fraction << 24 | total, self._highest, 0, since, delay)

    def _name(self) -> bytes:
        items = b"\x01\x09touchline\0"
        items += b"\0" * (-len(items) % 4)
        words = 1 + len(items) // 4
        return _HEAD.pack(0x81, _DESCRIPTION, words) + self._own_ssrc.to_bytes(4, "big") + items

    def keyframe_request(self, number: int, *, full: bool) -> bytes:
        """Build a keyframe request: FIR if `full`, otherwise PLI."""
        media = self.ssrc or 0
        report = self.report_without_blocks()
        if not full:
            return report + struct.pack(">BBHII", 0x80 | _PLI, _FEEDBACK, 2, self._own_ssrc, media)
        return report + struct.pack(
            ">BBHIIIB3x", 0x80 | _FIR, _FEEDBACK, 4, self._own_ssrc, 0, media, number & 0xFF
        )

    def report_without_blocks(self) -> bytes:
        """Build the report that begins a compound packet, and that opens a path for packets."""
        head = _HEAD.pack(0x80, _RECEIVER_REPORT, 1)
        return head + self._own_ssrc.to_bytes(4, "big") + self._name()
