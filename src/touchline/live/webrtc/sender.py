"""Sending of one camera's frames to one viewer over an encrypted transport, paced, with feedback.

It replaces aiortc's RTCRtpSender, which sends a whole frame without yielding to other tasks, keeps
128 packets (a keyframe has several hundred) and passes keyframe requests to an encoder that does
not exist here. Of the transport it uses the same methods: `_send_rtp`, `_register_rtp_sender` and
`_unregister_rtp_sender`.
"""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from typing import Any

from aiortc import RTCDtlsTransport, clock
from aiortc.rtcrtpparameters import RTCRtpSendParameters
from aiortc.rtp import (
    RTCP_PSFB_FIR,
    RTCP_PSFB_PLI,
    RTCP_RTPFB_NACK,
    AnyRtcpPacket,
    RtcpByePacket,
    RtcpPsfbPacket,
    RtcpRrPacket,
    RtcpRtpfbPacket,
    RtcpSdesPacket,
    RtcpSenderInfo,
    RtcpSourceInfo,
    RtcpSrPacket,
)

from touchline.live.frames.frame import LiveFrame
from touchline.live.frames.joining import is_referenced
from touchline.live.frames.stream import CameraStream, ViewedStream
from touchline.live.frames.subscription import Subscription, SubscriptionClosed
from touchline.live.webrtc.rtp import PacketHistory, Packetizer, RtpTimeline, SentPacket, packed
from touchline.live.webrtc.sdp import OfferedFormat

log = logging.getLogger(__name__)

REPORT_EVERY_S = 1.0
PACE_LEAST_BYTES_S = 50e6 / 8
PACE_TIMES_RATE = 4
"""A frame is sent at four times the stream's rate: bursts overflow switches and receivers."""
_AHEAD_S = 0.003
"""Time by which sending may run ahead; the event loop cannot sleep for less than a millisecond."""
_TURN_PACKETS = 16
"""Packets sent before yielding to other tasks: 0.3 ms at 20 us a packet."""
KEYFRAME_EVERY_S = 1.0
"""Minimum interval at which a viewer's keyframe requests are passed on."""
_NEW_KEYFRAME_S = 0.3
"""Time that a source has to produce a requested keyframe before the kept GOP is sent again."""
_RESEND_EVERY_S = 0.02
_CHANGE_OVER_S = 1.5
"""Maximum freeze for a viewer while another stream continues where this one ended."""
_CNAME_ITEM = 1


class ViewerSender:
    """Sends one viewer's stream. `run` lasts until it is cancelled or the transport closes."""

    def __init__(self, shown: ViewedStream, packetizer: Packetizer, *, cname: str) -> None:
        self.ssrc = self._ssrc = secrets.randbits(32)  # `_ssrc` is where the transport looks
        self.rtx_ssrc = secrets.randbits(32)
        self.cname = cname
        self.frames = 0
        self.skipped = 0
        self.packets = 0
        self.bytes = 0
        self.resent = 0
        self.lost = 0
        self.keyframes_asked = 0
        self._shown, self._packetizer = shown, packetizer
        self._stream: CameraStream | None = None
        self._timeline = RtpTimeline(secrets.randbits(32))
        self._history = PacketHistory()
        self._sequence = secrets.randbits(15)  # the lower half: an early wrap breaks SRTP
        self._rtx_sequence = secrets.randbits(15)
        self._resent_at_s: dict[int, float] = {}
        self._pace = PacketPace()
        self._asked_at_s = -KEYFRAME_EVERY_S
        self._newest_pts_ns = 0
        self._subscription: Subscription | None = None
        self._keyframe_check: asyncio.TimerHandle | None = None
        self._transport: RTCDtlsTransport | None = None
        self._payload_type = 0
        self._rtx_payload_type: int | None = None

    def to_json(self) -> dict[str, Any]:
        """Return counters of sent data, and of losses reported by the viewer."""
        return {
            "frames": self.frames,
            "skipped": self.skipped,
            "packets": self.packets,
            "bytes": self.bytes,
            "resent": self.resent,
            "lost": self.lost,
            "keyframes_asked": self.keyframes_asked,
        }

    async def run(self, transport: RTCDtlsTransport, chosen: OfferedFormat) -> None:
        """Send from the newest keyframe on. Raises ConnectionError when the transport is gone."""
        self._transport = transport
        self._payload_type, self._rtx_payload_type = chosen.payload_type, chosen.rtx_payload_type
        transport._register_rtp_sender(self, RTCRtpSendParameters())  # noqa: SLF001
        reporting = asyncio.create_task(self._report())
        try:
            while True:
                await self._send_stream()
        finally:
            if self._keyframe_check is not None:
                self._keyframe_check.cancel()
            reporting.cancel()
            transport._unregister_rtp_sender(self)  # noqa: SLF001

    async def send_bye(self) -> None:
        """Notify the viewer that the stream has ended."""
        await self._send_control(RtcpByePacket(sources=[self.ssrc]))

    # ---------------------------------------------------------------- sending

    async def _send_stream(self) -> None:
        """Send until the viewer has to restart at a keyframe."""
        before, stream = self._stream, self._shown.current
        self._stream = stream
        subscription = self._subscription = stream.subscribe()
        try:
            if before is not None and before is not stream:
                await self._change_over(stream, subscription)
            else:
                self._join(subscription)
            while self._shown.current is stream:
                subscription.skip_to_keyframe()
                await self._send_frame(await subscription.get())
        except TimeoutError:
            log.info("a viewer of %s has lost its position", self._shown.name)
        except SubscriptionClosed:
            log.info("a viewer of %s restarts at the newest keyframe", self._shown.name)
        finally:
            self.skipped += subscription.dropped
            subscription.close()

    def _join(self, subscription: Subscription) -> None:
        """Start with the newest GOP, up to the camera's newest frame."""
        # Not the current time: frames may arrive some time after their capture.
        newest_ns = subscription.newest_pts_ns
        present_ns = time.monotonic_ns() if newest_ns is None else newest_ns
        self._timeline.begin(present_ns, subscription.waiting)

    async def _change_over(self, stream: CameraStream, subscription: Subscription) -> None:
        """Continue with the first keyframe after everything shown so far. Raises TimeoutError."""
        async with asyncio.timeout(_CHANGE_OVER_S):
            while True:
                frame = await subscription.get()
                if frame.pts_ns > self._newest_pts_ns:
                    if frame.keyframe:
                        break
                    stream.request_keyframe()
        self._timeline.begin(frame.pts_ns, 0)
        await self._send_frame(frame)

    async def _send_frame(self, frame: LiveFrame) -> None:
        try:
            if self._is_out_of_order(frame):
                self.skipped += 1
                return
            payloads = self._packetizer.payloads(frame)
        except ValueError as error:
            log.warning("a frame of %s cannot be sent: %s", self._shown.name, error)
            return
        timestamp = self._timeline.stamp(frame.pts_ns)
        self._pace.measure(frame)
        last = len(payloads) - 1
        for n, payload in enumerate(payloads):
            packet = SentPacket(self._sequence, n == last, timestamp, payload)
            self._sequence = (self._sequence + 1) & 0xFFFF
            self._history.add(packet)
            await self._send(packed(packet, self._payload_type, self.ssrc))
            self.packets += 1
            self.bytes += len(payload)
            pause_s = self._pace.take(len(payload))
            if pause_s > 0 or n % _TURN_PACKETS == _TURN_PACKETS - 1:
                await asyncio.sleep(pause_s)
        self.frames += 1

    def _is_out_of_order(self, frame: LiveFrame) -> bool:
        """Return whether this is a B-frame that no other frame depends on.

        WebRTC shows frames in the order of arrival. A camera that reorders is transcoded; this
        applies until the transcode is available.
        """
        if frame.keyframe or frame.pts_ns > self._newest_pts_ns:
            self._newest_pts_ns = frame.pts_ns
            return False
        return not is_referenced(frame)

    async def _send(self, data: bytes) -> None:
        if self._transport is None:
            raise ConnectionError("there is no transport")
        await self._transport._send_rtp(data)  # noqa: SLF001

    # ---------------------------------------------------------- feedback

    async def _handle_rtcp_packet(self, packet: AnyRtcpPacket) -> None:
        """Handle the viewer's feedback; called by the transport."""
        if isinstance(packet, RtcpRtpfbPacket) and packet.fmt == RTCP_RTPFB_NACK:
            for sequence in packet.lost:
                await self._resend(sequence)
        elif isinstance(packet, RtcpPsfbPacket) and packet.fmt in {RTCP_PSFB_PLI, RTCP_PSFB_FIR}:
            self._request_keyframe()
        elif isinstance(packet, RtcpRrPacket | RtcpSrPacket):
            for report in packet.reports:
                if report.ssrc == self.ssrc:
                    self.lost = report.packets_lost

    async def _resend(self, sequence: int) -> None:
        packet = self._history.find(sequence)
        now_s = time.monotonic()
        if packet is None or now_s - self._resent_at_s.get(sequence, 0.0) < _RESEND_EVERY_S:
            return
        if len(self._resent_at_s) > self._history.size:
            self._resent_at_s.clear()
        self._resent_at_s[sequence] = now_s
        if self._rtx_payload_type is None:
            data = packed(packet, self._payload_type, self.ssrc)
        else:
            again = packet._replace(
                sequence=self._rtx_sequence, payload=sequence.to_bytes(2, "big") + packet.payload
            )
            self._rtx_sequence = (self._rtx_sequence + 1) & 0xFFFF
            data = packed(again, self._rtx_payload_type, self.rtx_ssrc)
        await self._send(data)
        self.resent += 1
        self._pace.take(len(packet.payload))

    def _request_keyframe(self) -> None:
        self.keyframes_asked += 1
        now_s = time.monotonic()
        if now_s - self._asked_at_s < KEYFRAME_EVERY_S:
            return
        self._asked_at_s = now_s
        stream = self._shown.current
        stream.request_keyframe()
        loop = asyncio.get_running_loop()
        self._keyframe_check = loop.call_later(
            _NEW_KEYFRAME_S, self._resend_gop_unless, stream, stream.keyframes
        )

    def _resend_gop_unless(self, stream: CameraStream, keyframes: int) -> None:
        """Send the kept GOP again if the camera makes no keyframe on request."""
        if stream.keyframes == keyframes and self._subscription is not None:
            self._subscription.close()

    # ------------------------------------------------------------- reports

    async def _report(self) -> None:
        """Send reports that relate timestamps to the wall clock."""
        name = RtcpSourceInfo(ssrc=self.ssrc, items=[(_CNAME_ITEM, self.cname.encode())])
        while True:
            info = RtcpSenderInfo(
                ntp_timestamp=clock.current_ntp_time(),
                rtp_timestamp=self._timeline.at(time.monotonic_ns()),
                packet_count=self.packets & 0xFFFFFFFF,
                octet_count=self.bytes & 0xFFFFFFFF,
            )
            report = RtcpSrPacket(ssrc=self.ssrc, sender_info=info)
            await self._send_control(report, RtcpSdesPacket(chunks=[name]))
            await asyncio.sleep(REPORT_EVERY_S)

    async def _send_control(self, *packets: AnyRtcpPacket) -> None:
        try:
            await self._send(b"".join(bytes(packet) for packet in packets))
        except ConnectionError as error:
            log.debug("a viewer of %s disconnected: %s", self._shown.name, error)


class PacketPace:
    """Decides when the next packet may go: a multiple of the stream's own rate."""

    def __init__(self) -> None:
        self._due_s = 0.0
        self._rate_bytes_s = PACE_LEAST_BYTES_S
        self._window_from_ns = 0
        self._window_bytes = 0

    def measure(self, frame: LiveFrame) -> None:
        """Add a frame to the stream's rate, second by second."""
        if frame.dts_ns - self._window_from_ns >= 1_000_000_000:
            seen_s = (frame.dts_ns - self._window_from_ns) / 1e9
            rate = PACE_TIMES_RATE * self._window_bytes / seen_s
            self._rate_bytes_s = max(PACE_LEAST_BYTES_S, rate)
            self._window_from_ns, self._window_bytes = frame.dts_ns, 0
        self._window_bytes += len(frame.data)

    def take(self, size_bytes: int) -> float:
        """Count bytes as sent; return how many seconds to wait after them."""
        now_s = time.monotonic()
        self._due_s = max(self._due_s, now_s) + size_bytes / self._rate_bytes_s
        ahead_s = self._due_s - now_s
        return ahead_s if ahead_s > _AHEAD_S else 0.0
