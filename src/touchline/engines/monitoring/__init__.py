"""Engine health checks, resource usage and cache cleaning."""
