"""Kinds of post-processing jobs: the orders that the studio gets for them, and their settings."""
