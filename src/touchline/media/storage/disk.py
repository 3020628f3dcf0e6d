"""The few file operations used to write footage, so that tests can make them slow or fail."""

from __future__ import annotations

import errno
import fcntl
import os
import resource
import time
from typing import NamedTuple

from touchline.foreign.files import open_regular
from touchline.media.storage import mounts
from touchline.media.storage.diskspace import read_space

OK = "ok"
FULL, READ_ONLY, GONE = "full", "read_only", "gone"
SLOW, FILE_TOO_LARGE, ERROR = "slow", "file_too_large", "error"
STATES = (OK, FULL, READ_ONLY, GONE, SLOW, FILE_TOO_LARGE, ERROR)
"""States of a disk. `error` is any fault that the others do not name."""

_STATE_OF = {
    errno.ENOSPC: FULL,
    errno.EDQUOT: FULL,
    errno.EROFS: READ_ONLY,
    errno.EFBIG: FILE_TOO_LARGE,
    # The folder does not exist, or the device behind it is gone.
    errno.ENOENT: GONE,
    errno.ENOTDIR: GONE,
    errno.ENODEV: GONE,
    errno.ENXIO: GONE,
    errno.ESTALE: GONE,
    errno.ENOTCONN: GONE,
    errno.ESHUTDOWN: GONE,
    errno.EHOSTDOWN: GONE,
    errno.ENOMEDIUM: GONE,
}


def state_of(error: OSError) -> str:
    """Return the disk state that an error indicates, by its number only."""
    return _STATE_OF.get(error.errno or 0, ERROR)


_CLAIM_S = 1.0
_CLAIM_EVERY_S = 0.02


def claim(fd: int) -> None:
    """Claim a file that a process may have open for writing; the claim ends with the descriptor.

    Waits a moment for a process that is being killed. Raises OSError with EBUSY if the file is
    still being written then. A filesystem without locks has no claims.
    """
    deadline_s = time.monotonic() + _CLAIM_S
    while True:
        try:
            fcntl.flock(fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            if time.monotonic() >= deadline_s:
                raise OSError(errno.EBUSY, "Another process is still writing it") from None
            time.sleep(_CLAIM_EVERY_S)
        except OSError:
            return
        else:
            return


class FolderIdentity(NamedTuple):
    """A folder's identity: another filesystem or another folder at the same path differs in it."""

    device: int
    inode: int


class Disk:
    """File operations. All of them block and raise OSError."""

    def create(self, path: str) -> int:
        """Create a file that must not exist yet, and claim it.

        If another process repairs or removes it before that, it counts as existing.
        """
        fd = open_regular(path, os.O_RDWR | os.O_CREAT | os.O_EXCL)
        try:
            claim(fd)
            if os.fstat(fd).st_nlink:
                return fd
        except OSError:
            os.close(fd)
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path) from None
        os.close(fd)
        raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), path)

    def reopen(self, path: str) -> int:
        """Open an existing file for writing."""
        return open_regular(path, os.O_RDWR)

    def write_all(self, fd: int, data: bytes, offset: int) -> None:
        """Write all of `data` at `offset`."""
        view = memoryview(data)
        while view:
            written = os.pwrite(fd, view, offset)
            offset, view = offset + written, view[written:]

    def cut(self, fd: int, size_bytes: int) -> None:
        """Truncate the file to `size_bytes`."""
        os.ftruncate(fd, size_bytes)

    def sync(self, fd: int) -> None:
        """Flush the data, and the size needed to read it, to the disk."""
        os.fdatasync(fd)

    def sync_directory(self, path: str) -> None:
        """Flush the directory's entries to the disk."""
        fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fsync(fd)
        finally:
            os.close(fd)

    def remove(self, path: str) -> None:
        """Remove a file; a missing one is not an error."""
        try:
            os.unlink(path)
        except FileNotFoundError:
            return

    def make_folders(self, path: str) -> None:
        """Create a folder and missing parents."""
        os.makedirs(path, exist_ok=True)

    def place(self, path: str) -> FolderIdentity:
        """Return the identity of the folder at a path. Raises OSError with EROFS if read-only."""
        found = os.stat(path)
        if os.statvfs(path).f_flag & os.ST_RDONLY:
            raise OSError(errno.EROFS, os.strerror(errno.EROFS), path)
        return FolderIdentity(found.st_dev, found.st_ino)

    def is_mounted(self, point: str) -> bool:
        """Return whether something is mounted exactly at a path."""
        return mounts.is_mounted(point)

    def free_bytes(self, path: str) -> int:
        """Return the bytes that an unprivileged process may still write."""
        return read_space(path).free_bytes

    def file_limit_bytes(self) -> int | None:
        """Return the largest file size of this process (RLIMIT_FSIZE); None without a limit."""
        soft, _ = resource.getrlimit(resource.RLIMIT_FSIZE)
        return None if soft == resource.RLIM_INFINITY else soft
