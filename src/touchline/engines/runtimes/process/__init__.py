"""Process runtime, which runs engines as processes of this machine."""
