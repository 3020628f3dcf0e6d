"""Programs started by the capture half: camera workers, live process, studio."""
