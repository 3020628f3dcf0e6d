"""Playback, clips and frame indexes of recorded matches."""
