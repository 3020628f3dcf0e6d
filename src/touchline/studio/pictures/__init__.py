"""Reading, pairing and writing pictures of footage."""
