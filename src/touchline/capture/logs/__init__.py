"""Alerts, log files, and readers of the logs."""
