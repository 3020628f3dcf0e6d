"""State of the match being recorded: its cameras' tracks, manifest and status."""
