"""The GStreamer pipeline of a camera."""
