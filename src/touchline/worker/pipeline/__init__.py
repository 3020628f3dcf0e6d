"""The GStreamer pipeline of a camera and its readers."""
