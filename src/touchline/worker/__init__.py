"""The camera worker, a separate process that owns the pipeline and the recording of one camera.

Standard library and GStreamer only. Code shared with other programs is in `ipc` and `media`.
"""
