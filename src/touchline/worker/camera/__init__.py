"""Operation of one camera: its pipeline, restarted when it fails, and the readers of viewers."""
