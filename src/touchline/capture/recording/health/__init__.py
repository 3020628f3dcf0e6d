"""Health assessment of a running recording, and management of its disk space."""
