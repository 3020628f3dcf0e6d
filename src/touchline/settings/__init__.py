"""The tree of settings, names of the earlier system, and messages for wrong settings."""
