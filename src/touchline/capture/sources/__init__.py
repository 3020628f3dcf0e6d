"""Kinds of cameras: the settings, the pipeline and the readiness check of each."""
