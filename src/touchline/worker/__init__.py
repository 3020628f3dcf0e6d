"""The camera worker: a program of its own that owns one camera's pipeline and recording.

Standard library and GStreamer only. `wire`, `mp4` and `testpicture` are pure standard library
and are the only modules that other packages may import.
"""
