"""Geometry of two cameras, calibration, and stitching."""
