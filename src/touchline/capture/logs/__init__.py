"""Alerts, log files and what can be read out of them."""
