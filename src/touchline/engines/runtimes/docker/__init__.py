"""Docker runtime, which runs engines as containers of a daemon."""
