"""Start and removal of engines: admission, preparation, circuit breaker, fleet sync."""
