"""Settings of the engines half."""
