"""Encoded frames of each camera, kept for their readers."""
