"""A raw RTSP and RTP server that behaves correctly, or misbehaves as configured."""
