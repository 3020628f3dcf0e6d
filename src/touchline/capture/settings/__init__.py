"""Settings of the capture half."""
