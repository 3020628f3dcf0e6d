"""Engine health, resource usage and cache cleaning."""
