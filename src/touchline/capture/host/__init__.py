"""Monitoring of the machine: load, temperatures, metrics and watchdog log."""
