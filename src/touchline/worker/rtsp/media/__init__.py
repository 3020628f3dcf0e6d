"""Transport of a session's packets."""
