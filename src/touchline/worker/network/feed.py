"""What a network camera's packets become: copied frames, or pictures decoded and encoded anew."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst  # noqa: E402

from touchline.ipc.tee import Frame  # noqa: E402
from touchline.ipc.wire import Element, PipelineSpec  # noqa: E402
from touchline.media.h264.units import annex_b  # noqa: E402
from touchline.worker.pipeline.elements import BuildError  # noqa: E402
from touchline.worker.pipeline.pipeline import Pipeline  # noqa: E402
from touchline.worker.rtp import H264Stream  # noqa: E402
from touchline.worker.rtp.clock import CameraClock  # noqa: E402
from touchline.worker.rtsp.description import Format, Track  # noqa: E402
from touchline.worker.rtsp.errors import RtspError  # noqa: E402
from touchline.worker.rtsp.media.rtcp import SenderReport  # noqa: E402

_DEPAYLOADERS = {
    "av1": ("rtpav1depay",),
    "h263": ("rtph263pdepay",),
    "h265": ("rtph265depay", "h265parse"),
    "mjpeg": ("rtpjpegdepay",),
    "mpeg2": ("rtpmpvdepay",),
    "mpeg4": ("rtpmp4vdepay",),
    "mpegts": ("rtpmp2tdepay",),
    "vp8": ("rtpvp8depay",),
    "vp9": ("rtpvp9depay",),
}
_PARAMETER = re.compile(r"[a-z][a-z0-9-]{0,40}", re.ASCII)
_VALUE = re.compile(r"[\x21-\x7e]{1,8192}", re.ASCII)
_AHEAD_NS, _LEAP_NS = 150_000_000, 1_000_000_000
_HELD_NS, _HELD_BYTES = 250_000_000, 8 << 20


class Feed(Protocol):
    """Takes the packets of one session, in order and on its thread."""

    @property
    def lost(self) -> int:
        """Frames that evidence says are missing: packets that did not come, or came damaged."""

    def packet(self, data: bytes, arrived_ns: int) -> None:
        """Take an RTP packet. Raises ValueError for a stream that cannot be recorded."""

    def sender_report(self, report: SenderReport, arrived_ns: int) -> None:
        """Take what the camera says of its clock."""

    def tick(self, now_ns: int) -> None:
        """Let go of what has waited long enough."""

    def end(self) -> None:
        """Let go of everything that is whole; nothing follows."""


class CopiedH264:
    """H.264 put together from packets and passed on as it is."""

    def __init__(
        self, chosen: Format, on_frame: Callable[[Frame], None], on_warning: Callable[[str], None]
    ) -> None:
        self.lost = 0
        self._on_frame = on_frame
        self._last: Frame | None = None
        self._evidence = 0
        self._stream = H264Stream(
            chosen.clock_rate,
            chosen.sets(),
            self._frame,
            payload_types={chosen.payload_type},
            on_warning=on_warning,
        )
        self.packet = self._stream.packet
        self.tick = self._stream.due
        self.end = self._stream.flush

    def sender_report(self, report: SenderReport, arrived_ns: int) -> None:
        """Take what the camera says of its clock."""
        self._stream.sender_report(report.rtp_time, report.ntp_ns, arrived_ns)

    def _frame(self, frame: Frame) -> None:
        evidence = self._stream.packets_lost + self._stream.damaged
        if evidence != self._evidence:
            self._evidence = evidence
            self.lost += missing_frames(self._last, frame)
        self._last = frame
        self._on_frame(frame)


def missing_frames(last: Frame | None, frame: Frame) -> int:
    """How many frames fit between these two, where something is known to be missing."""
    if last is None or last.duration_ns <= 0:
        return 0
    return max(0, round((frame.dts_ns - last.dts_ns) / last.duration_ns) - 1)


class DecodedH264:
    """H.264 put together from packets, for a pipeline that decodes it."""

    def __init__(
        self, chosen: Format, pipeline: Pipeline, on_warning: Callable[[str], None]
    ) -> None:
        self._pipeline = pipeline
        self._copied = CopiedH264(chosen, self._frame, on_warning)
        self.packet = self._copied.packet
        self.tick = self._copied.tick
        self.end = self._copied.end
        self.sender_report = self._copied.sender_report

    @property
    def lost(self) -> int:
        """Frames that did not come, or came damaged."""
        return self._copied.lost

    def _frame(self, frame: Frame) -> None:
        data = annex_b(frame.data, frame.codec)
        self._pipeline.push(data, frame.pts_ns, frame.dts_ns, keyframe=frame.keyframe)


class DecodedPackets:
    """Packets of another codec, stamped on the clock of the match, for a pipeline that decodes."""

    def __init__(self, chosen: Format, pipeline: Pipeline) -> None:
        self.lost = 0
        self._rate = chosen.clock_rate
        self._payload_type = chosen.payload_type
        self._pipeline = pipeline
        self._clock = CameraClock()
        self._rtp_time: int | None = None
        self._arrived_ns = 0
        self._media_ns = 0
        self._held: list[tuple[bytes, int, int]] = []
        self._held_bytes = 0
        self._next: int | None = None
        self._ssrc = b""

    def packet(self, data: bytes, arrived_ns: int) -> None:
        """Take an RTP packet."""
        if len(data) < 12 or data[0] >> 6 != 2 or data[1] & 0x7F != self._payload_type:
            return
        number, ssrc = data[2] << 8 | data[3], data[8:12]
        if ssrc == self._ssrc and self._next is not None and number != self._next:
            self.lost += 1
        self._ssrc, self._next = ssrc, (number + 1) & 0xFFFF
        rtp_time = int.from_bytes(data[4:8], "big")
        if rtp_time != self._rtp_time:
            self._media_ns = self._place(rtp_time, arrived_ns)
        if self._clock.anchored:
            self._push(data, self._media_ns)
        else:
            self._hold(data, arrived_ns)

    def _hold(self, data: bytes, arrived_ns: int) -> None:
        """Keep the first packets until it is known how late a camera's first burst is."""
        self._held.append((data, self._media_ns, arrived_ns))
        self._held_bytes += len(data)
        waited_ns = arrived_ns - self._held[0][2]
        if waited_ns > _HELD_NS or self._held_bytes > _HELD_BYTES:
            self.end()

    def end(self) -> None:
        """Let go of the first packets."""
        held, self._held, self._held_bytes = self._held, [], 0
        if held:
            _, media_ns, arrived_ns = min(held, key=lambda each: each[2] - each[1])
            self._clock.anchor(media_ns, arrived_ns)
        for data, media_ns, _ in held:
            self._push(data, media_ns)

    def _push(self, data: bytes, media_ns: int) -> None:
        self._pipeline.push(data, max(self._clock.at(media_ns), 0), None, keyframe=False)

    def _place(self, rtp_time: int, arrived_ns: int) -> int:
        """The media time of a picture with this RTP time; steps are the camera's own.

        Stamps that leap, as no time did, begin a new line where the old one ends.
        """
        before, before_ns = self._rtp_time, self._arrived_ns
        self._rtp_time, self._arrived_ns = rtp_time, arrived_ns
        if before is None:
            return 0
        step = (rtp_time - before + 0x8000_0000 & 0xFFFF_FFFF) - 0x8000_0000
        step_ns, passed_ns = step * 1_000_000_000 // self._rate, arrived_ns - before_ns
        media_ns = self._media_ns + step_ns
        early = self._clock.anchored and self._clock.at(media_ns) > arrived_ns + _AHEAD_NS
        if step_ns < -_LEAP_NS or (early and step_ns > passed_ns + _LEAP_NS):
            media_ns = self._media_ns + max(passed_ns, 0)
        if self._clock.anchored:
            self._clock.arrived(media_ns, arrived_ns)
        return media_ns

    def sender_report(self, report: SenderReport, arrived_ns: int) -> None:
        """Not needed: what arrives says enough of the camera's clock."""

    def tick(self, now_ns: int) -> None:
        """Let go of the first packets in time."""
        if self._held and now_ns - self._held[0][2] > _HELD_NS:
            self.end()


def decoding_pipeline(
    spec: PipelineSpec, track: Track, chosen: Format, **callbacks: Callable[..., None]
) -> Pipeline:
    """Make the pipeline that decodes and encodes a track. Raises RtspError where none can be."""
    names = ("h264parse",) if chosen.codec == "h264" else _DEPAYLOADERS.get(chosen.codec)
    if names is None:
        raise RtspError(f"no decoder for {chosen.encoding} is available")
    source = tuple(Element(name) for name in names)
    fed = replace(spec, rtsp=None, source=source, demux=True)
    caps = _h264_caps() if chosen.codec == "h264" else _rtp_caps(track, chosen)
    try:
        return Pipeline(fed, caps=caps, **callbacks)
    except BuildError as error:
        raise RtspError(str(error)) from error


def _h264_caps() -> Any:
    return Gst.Caps.from_string("video/x-h264,stream-format=byte-stream,alignment=au")


def _rtp_caps(track: Track, chosen: Format) -> Any:
    """Caps of RTP packets; what the camera wrote becomes values, and only where it is plain."""
    structure = Gst.Structure.new_empty("application/x-rtp")
    structure.set_value("media", "video")
    structure.set_value("payload", chosen.payload_type)
    structure.set_value("clock-rate", chosen.clock_rate)
    encoding = "H265" if chosen.codec == "h265" else chosen.encoding
    structure.set_value("encoding-name", encoding)
    taken = {"media", "payload", "clock-rate", "encoding-name"}
    for name, value in chosen.parameters.items():
        if name not in taken and _PARAMETER.fullmatch(name) and _VALUE.fullmatch(value):
            structure.set_value(name, value)
    if track.size is not None:
        structure.set_value("x-dimensions", f"{track.size[0]},{track.size[1]}")
    caps = Gst.Caps.new_empty()
    caps.append_structure(structure)
    return caps
