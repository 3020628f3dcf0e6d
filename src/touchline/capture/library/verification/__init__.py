"""Checks that a match's files are whole."""
