"""Bodies of the capture half."""
