"""Verdict of the last stop, which is the same on every device until somebody dismisses it."""
