"""Panorama: calibration, live preview and rendering."""
