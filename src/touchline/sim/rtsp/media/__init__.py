"""Frames of a simulated camera, from pictures to packets."""
