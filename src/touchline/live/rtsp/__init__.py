"""The RTSP outlet."""
