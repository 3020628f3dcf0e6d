"""The machine: load, temperatures, metrics and watchdog log."""
