"""Deleted matches that can be restored for some days, and the matches that make room first."""
