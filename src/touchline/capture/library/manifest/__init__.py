"""Manifests and segment file names of match folders, written and read."""
