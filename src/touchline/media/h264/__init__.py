"""H.264: units, syntax, picture order, colour."""
