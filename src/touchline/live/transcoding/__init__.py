"""Transcodes of cameras that reorder pictures."""
