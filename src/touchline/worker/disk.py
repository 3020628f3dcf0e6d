"""The few file operations footage is written with, so that a test can make them slow or fail."""

from __future__ import annotations

import os


class Disk:
    """The file system. Everything blocks and raises OSError."""

    def create(self, path: str) -> int:
        """Create a file that must not exist yet."""
        return os.open(path, os.O_RDWR | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o644)

    def write_all(self, fd: int, data: bytes, offset: int) -> None:
        """Write all of `data` at `offset`."""
        view = memoryview(data)
        while view:
            written = os.pwrite(fd, view, offset)
            offset, view = offset + written, view[written:]

    def cut(self, fd: int, size_bytes: int) -> None:
        """Let the file end at `size_bytes`."""
        os.ftruncate(fd, size_bytes)

    def sync(self, fd: int) -> None:
        """Return when the data, and the size needed to read it, are on the disk."""
        os.fdatasync(fd)

    def sync_directory(self, path: str) -> None:
        """Return when the directory's entries are on the disk."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def remove(self, path: str) -> None:
        """Remove a file; one that is gone already is not an error."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            return

    def free_bytes(self, path: str) -> int:
        """What an unprivileged process may still write."""
        stats = os.statvfs(path)
        return stats.f_bavail * stats.f_frsize
