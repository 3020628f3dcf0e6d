"""The event log and its kinds."""
