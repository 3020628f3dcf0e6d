"""Network cameras: RTSP sessions and the processing of their packets."""
