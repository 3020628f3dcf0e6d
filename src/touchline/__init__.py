"""touchline: a match-day video server."""

__version__ = "0.2.0"
