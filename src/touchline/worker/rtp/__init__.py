"""Conversion of H.264 over RTP to frames. Pure standard library."""

from touchline.worker.rtp.errors import StreamError
from touchline.worker.rtp.stream import H264Stream

__all__ = ["H264Stream", "StreamError"]
