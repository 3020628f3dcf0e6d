"""Images of a Docker daemon: pulling them, and logging in to their registries."""
