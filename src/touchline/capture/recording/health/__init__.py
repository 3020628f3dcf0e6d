"""Judges the health of a running recording, and keeps disk space for it."""
