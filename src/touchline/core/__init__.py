"""What every part of the server stands on: errors, events, the database, metrics, tasks, logs."""
