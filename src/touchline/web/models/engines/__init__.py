"""Bodies of the engines half."""
