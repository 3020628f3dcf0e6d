"""Shared foundation of the server: errors, events, database, metrics, tasks, logs."""
