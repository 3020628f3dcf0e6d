"""Encoded frames of each camera, queued for their readers."""
