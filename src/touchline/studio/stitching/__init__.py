"""Geometry of two cameras, calibration, and the stitched picture."""
