"""The camera worker, a separate process that owns the pipeline and the recording of one camera.

Standard library and GStreamer only. `wire`, `mp4` and `testpicture` are pure standard library
and are the only modules that other packages may import.
"""
