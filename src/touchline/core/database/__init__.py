"""Database of the server."""
