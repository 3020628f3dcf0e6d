"""Engines as containers of a Docker daemon."""
