"""Starts and removes engines: admission, preparation, circuit breaker, fleet sync."""
