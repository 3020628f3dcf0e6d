"""A week of figures, kept over restarts."""
