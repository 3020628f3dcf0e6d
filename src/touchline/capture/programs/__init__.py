"""Programs that the capture half starts: camera workers, live process, studio."""
