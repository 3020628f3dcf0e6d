"""An RTSP client for real-world cameras, based on the standard library only.

`describe` asks a camera what it offers; `python -m touchline.worker.rtsp` does so as a program.
"""

from touchline.worker.rtsp.describing import OfferedTracks, describe
from touchline.worker.rtsp.errors import CameraRefusal, RtspError

__all__ = ["CameraRefusal", "OfferedTracks", "RtspError", "describe"]
