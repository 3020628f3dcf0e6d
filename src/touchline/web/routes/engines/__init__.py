"""Routes of the engines half."""
