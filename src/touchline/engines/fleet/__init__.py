"""In-memory fleet and its record in the database."""
