"""Routes of the capture half."""
