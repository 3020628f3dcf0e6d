"""Recorded matches on disk: manifests, inventory, markers, retention, recovery."""
