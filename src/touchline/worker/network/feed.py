"""Conversion of a network camera's packets to frames: copied, or decoded and encoded again."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Protocol

import gi

gi.require_version("Gst", "1.0")
from gi.repository import Gst

from touchline.ipc.tee import Frame
from touchline.ipc.wire import Element, PipelineSpec
from touchline.media.h264.units import annex_b
from touchline.worker.pipeline.elements import BuildError
from touchline.worker.pipeline.pipeline import Pipeline
from touchline.worker.rtp import H264Stream
from touchline.worker.rtsp.description import CameraTrack, TrackFormat
from touchline.worker.rtsp.errors import RtspError
from touchline.worker.rtsp.media.rtcp import SenderReport

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


class PacketFeed(Protocol):
    """Consumer of the packets of one session, called in order and on the session's thread."""

    @property
    def lost(self) -> int:
        """Number of frames known to be missing: their packets were lost or damaged."""

    def packet(self, data: bytes, arrived_ns: int) -> None:
        """Accept an RTP packet. Raises ValueError for a stream that cannot be recorded."""

    def sender_report(self, report: SenderReport, arrived_ns: int) -> None:
        """Process a sender report with the camera's clock."""

    def tick(self, now_ns: int) -> None:
        """Pass on pictures that have waited long enough."""

    def end(self) -> None:
        """Pass on everything that is complete; no packet follows."""


class CopiedH264:
    """Feed that assembles H.264 from packets and passes it on unchanged."""

    def __init__(
        self,
        chosen: TrackFormat,
        on_frame: Callable[[Frame], None],
        on_warning: Callable[[str], None],
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
        """Process a sender report with the camera's clock."""
        self._stream.sender_report(report.rtp_time, report.ntp_ns, arrived_ns)

    def _frame(self, frame: Frame) -> None:
        evidence = self._stream.packets_lost + self._stream.damaged
        if evidence != self._evidence:
            self._evidence = evidence
            self.lost += missing_frames(self._last, frame)
        self._last = frame
        self._on_frame(frame)


def missing_frames(last: Frame | None, frame: Frame) -> int:
    """Return how many frames fit between these two, given that something is known to be missing."""
    if last is None or last.duration_ns <= 0:
        return 0
    return max(0, round((frame.dts_ns - last.dts_ns) / last.duration_ns) - 1)


class DecodedH264:
    """Feed that assembles H.264 from packets for a decoding pipeline."""

    def __init__(
        self, chosen: TrackFormat, pipeline: Pipeline, on_warning: Callable[[str], None]
    ) -> None:
        self._pipeline = pipeline
        self._copied = CopiedH264(chosen, self._frame, on_warning)
        self.packet = self._copied.packet
        self.tick = self._copied.tick
        self.end = self._copied.end
        self.sender_report = self._copied.sender_report

    @property
    def lost(self) -> int:
        """Number of frames that were lost or damaged."""
        return self._copied.lost

    def _frame(self, frame: Frame) -> None:
        data = annex_b(frame.data, frame.codec)
        self._pipeline.push(data, frame.pts_ns, frame.dts_ns, keyframe=frame.keyframe)


def decoding_pipeline(
    spec: PipelineSpec, track: CameraTrack, chosen: TrackFormat, **callbacks: Callable[..., None]
) -> Pipeline:
    """Create the pipeline that decodes and encodes a track. Raises RtspError if it cannot."""
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


def _rtp_caps(track: CameraTrack, chosen: TrackFormat) -> Any:
    """Build the caps of RTP packets; text from the camera is used only as plain values."""
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
