"""The match being recorded: its cameras' tracks, its manifest, and what is told of it."""
