"""An RTSP client for real-world cameras, based on the standard library only.

`describe` returns the tracks that a camera offers; `python -m touchline.worker.rtsp` prints them.
"""

from touchline.worker.rtsp.describing import OfferedTracks, describe
from touchline.worker.rtsp.errors import CameraRefusal, RtspError

__all__ = ["CameraRefusal", "OfferedTracks", "RtspError", "describe"]
