"""The studio: a program of its own that makes pictures of footage, `python -m touchline.studio`.

Calibration, panoramas, cuts and archives need OpenCV and codecs, which the server never loads. Each
piece of work is a process that can be slowed, stopped and killed without harm to a recording.
"""
