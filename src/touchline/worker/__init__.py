"""The camera worker, a separate process that owns the pipeline and the recording of one camera.

Standard library and GStreamer only. What other programs use too is in `ipc` and `media`.
"""
