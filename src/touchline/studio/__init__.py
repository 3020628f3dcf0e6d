"""The studio, a separate process that produces pictures from footage: `python -m touchline.studio`.

Calibration, panoramas, cuts and archives need OpenCV and codecs, which the server never loads. Each
job is a process that can be slowed, stopped and killed without affecting a recording.
"""
