"""The fleet in memory and its record in the database."""
