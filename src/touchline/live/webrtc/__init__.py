"""WebRTC viewers."""
