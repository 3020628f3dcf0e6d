"""Conversion of H.264 over RTP to frames. Standard library only."""

from touchline.worker.rtp.errors import StreamError
from touchline.worker.rtp.stream import H264Stream

__all__ = ["H264Stream", "StreamError"]
