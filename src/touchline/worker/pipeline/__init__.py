"""The GStreamer pipeline of a camera and who reads from it."""
