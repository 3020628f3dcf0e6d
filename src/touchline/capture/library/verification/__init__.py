"""Integrity checks of a match's files."""
