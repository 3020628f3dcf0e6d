"""Recording of coded frames to synced segments."""
