"""A raw RTSP and RTP server that behaves well, or misbehaves in the ways it is told to."""
