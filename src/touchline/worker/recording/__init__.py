"""Recording of encoded frames to synced segments."""
