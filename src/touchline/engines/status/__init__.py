"""State of the fleet for proxies, health checks and Prometheus."""
