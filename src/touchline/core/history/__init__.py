"""A day of figures, kept over restarts."""
