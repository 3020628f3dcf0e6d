"""Live view: previews, WebRTC sessions, RTSP outlet, stills."""
