"""Opening, listing and replacing files in folders that others can write to.

Only regular files count: a link, a FIFO, a socket, a device or a folder with a file's name is
treated as absent, and is never followed, waited for or opened. The same rule applies to the folders
of a match. Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import errno
import os
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO, NamedTuple

SEGMENTS_FOLDER = "segments"
MOST_BYTES = 64 << 20
"""Limit of files that are read completely; the manifest of a long match is a few percent of it."""

DEEPEST = 32
"""Maximum depth of folders that are searched; matches have one level."""

FILE_MODE = 0o666
"""Mode before the umask, which the server sets by `capture.file_mode`."""

PRIVATE_MODE = 0o600

_PathLike = str | os.PathLike[str]


class NotRegular(FileNotFoundError):
    """The path is not a regular file in a real folder; it is treated as absent."""

    def __init__(self, path: _PathLike) -> None:
        super().__init__(errno.ENOENT, "It is not a regular file", os.fspath(path))


class Found(NamedTuple):
    """A regular file below a folder, with its relative path."""

    inside: Path
    status: os.stat_result


def open_regular(
    path: _PathLike, flags: int = os.O_RDONLY, mode: int = FILE_MODE, *, folders: int | None = None
) -> int:
    """Open a regular file and return its descriptor. `flags` may create it.

    `folders` says how many of its parent folders must be real folders and not links: by default the
    match's folder and its `segments`. Raises NotRegular, and OSError like `os.open`.
    """
    where = Path(path)
    folder = _open_folder(where.parent, _own(where) if folders is None else folders)
    try:
        return _open(folder, where, flags, mode)
    finally:
        os.close(folder)


def create_new(path: _PathLike, mode: int = FILE_MODE, *, folders: int | None = None) -> int:
    """Create an empty file for reading and writing, replacing what had its name before.

    Only the name is removed: a link's target and readers of a FIFO are not affected. Raises
    OSError, also for an existing folder of that name.
    """
    where = Path(path)
    folder = _open_folder(where.parent, _own(where) if folders is None else folders)
    try:
        with suppress(FileNotFoundError):
            os.unlink(where.name, dir_fd=folder)
        return _open(folder, where, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
    finally:
        os.close(folder)


def open_private(path: _PathLike, flags: int, *, folders: int | None = None) -> int:
    """Open or create a regular file and restrict its mode so that only its owner can read it.

    Raises OSError.
    """
    descriptor = open_regular(path, flags | os.O_CREAT, PRIVATE_MODE, folders=folders)
    try:
        if stat.S_IMODE(os.fstat(descriptor).st_mode) != PRIVATE_MODE:
            os.fchmod(descriptor, PRIVATE_MODE)
    except OSError:
        os.close(descriptor)
        raise
    return descriptor


@contextmanager
def reading(path: _PathLike, *, folders: int | None = None) -> Iterator[IO[bytes]]:
    """Open a regular file for reading as a file object. Raises OSError."""
    with os.fdopen(open_regular(path, folders=folders), "rb") as file:
        yield file


def read_bytes(
    path: _PathLike, *, most_bytes: int = MOST_BYTES, folders: int | None = None
) -> bytes:
    """Read a regular file completely. Raises OSError, with EFBIG if it is larger than allowed."""
    with reading(path, folders=folders) as file:
        content = file.read(most_bytes + 1)
    if len(content) > most_bytes:
        raise OSError(errno.EFBIG, f"It is larger than {most_bytes} bytes", os.fspath(path))
    return content


def replace_whole(
    path: _PathLike, content: bytes, mode: int = FILE_MODE, *, synced: bool = False
) -> None:
    """Replace a file atomically: others see the complete old or new content. Raises OSError.

    With `synced` that also holds after a power failure.
    """
    where = Path(path)
    new = where.with_name(f".{where.name}.{secrets.token_hex(4)}.new")
    try:
        with os.fdopen(create_new(new, mode), "wb") as file:
            file.write(content)
            if synced:
                file.flush()
                os.fsync(file.fileno())
        new.replace(where)
    except OSError:
        with suppress(OSError):
            new.unlink(missing_ok=True)
        raise


@contextmanager
def path_of(descriptor: int) -> Iterator[str]:
    """Provide a path of an open file, for libraries that open files themselves.

    Even if the file's name is replaced meanwhile, they open the file that was checked.
    """
    yield f"/proc/self/fd/{descriptor}"


@contextmanager
def checked_path(path: _PathLike) -> Iterator[str]:
    """Open a regular file and provide a path by which a library opens exactly this file."""
    descriptor = open_regular(path)
    try:
        with path_of(descriptor) as opened:
            yield opened
    finally:
        os.close(descriptor)


def status_of(path: _PathLike, *, folders: int | None = None) -> os.stat_result:
    """Return the status of a regular file. Raises NotRegular, and OSError like `os.stat`."""
    where = Path(path)
    folder = _open_folder(where.parent, _own(where) if folders is None else folders)
    try:
        return _status(folder, where)
    finally:
        os.close(folder)


def is_regular(path: _PathLike, *, folders: int | None = None) -> bool:
    """Return whether a path is a regular file; False on errors."""
    try:
        status_of(path, folders=folders)
    except OSError:
        return False
    return True


def is_real_folder(path: _PathLike) -> bool:
    """Return whether a path is a folder and not a link to one."""
    try:
        return stat.S_ISDIR(os.lstat(path).st_mode)
    except OSError:
        return False


def regular_entries(folder: _PathLike) -> Iterator[os.DirEntry[str]]:
    """List the regular files of a folder, except hidden ones.

    Nothing is listed if there is no such folder, or a link instead. Read an entry's status before
    taking the next one.
    """
    try:
        descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC)
    except (FileNotFoundError, NotADirectoryError):
        return
    except OSError as error:
        if error.errno == errno.ELOOP:
            return
        raise
    try:
        with os.scandir(descriptor) as entries:
            for entry in entries:
                if not entry.name.startswith(".") and entry.is_file(follow_symlinks=False):
                    yield entry
    finally:
        os.close(descriptor)


def files_below(folder: _PathLike, *, hidden: bool = False) -> Iterator[Found]:
    """Find regular files at any depth of a folder without following links.

    Files that disappear meanwhile, and those deeper than `DEEPEST` folders, are omitted. Hidden
    files and folders are only included with `hidden`.
    """
    waiting = [Path()]
    top = Path(folder)
    while waiting:
        inside = waiting.pop()
        try:
            with os.scandir(top / inside) as entries:
                found = sorted(entries, key=lambda entry: entry.name)
        except (FileNotFoundError, NotADirectoryError):
            continue
        for entry in found:
            if entry.name.startswith(".") and not hidden:
                continue
            if entry.is_dir(follow_symlinks=False):
                if len(inside.parts) < DEEPEST:
                    waiting.append(inside / entry.name)
            elif entry.is_file(follow_symlinks=False):
                with suppress(FileNotFoundError):
                    yield Found(inside / entry.name, entry.stat(follow_symlinks=False))


def _own(path: Path) -> int:
    """Return how many parent folders of a file belong to the match."""
    return 2 if path.parent.name == SEGMENTS_FOLDER else 1


def _open_folder(folder: Path, real: int) -> int:
    """Open a folder whose last `real` path components must not be links."""
    how = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC
    real = min(real, len(folder.parts) - (1 if folder.is_absolute() else 0))
    names = folder.parts[len(folder.parts) - real :]
    base = Path(*folder.parts[: len(folder.parts) - real])
    opened = os.open(base, how)
    for name in names:
        above = opened
        try:
            opened = os.open(name, how | os.O_NOFOLLOW, dir_fd=above)
        except NotADirectoryError as error:
            raise NotRegular(folder) from error
        finally:
            os.close(above)
    return opened


def _status(folder: int, path: Path) -> os.stat_result:
    found = os.stat(path.name, dir_fd=folder, follow_symlinks=False)
    if not stat.S_ISREG(found.st_mode):
        raise NotRegular(path)
    return found


def _open(folder: int, path: Path, flags: int, mode: int) -> int:
    # Opening a device can have effects: check before opening, and again afterwards.
    try:
        _status(folder, path)
    except NotRegular:
        if flags & os.O_EXCL:
            raise FileExistsError(errno.EEXIST, os.strerror(errno.EEXIST), str(path)) from None
        raise
    except FileNotFoundError:
        if not flags & os.O_CREAT:
            raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), str(path)) from None
    try:
        descriptor = os.open(
            path.name,
            flags | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC,
            mode,
            dir_fd=folder,
        )
    except OSError as error:
        if error.errno == errno.ELOOP:
            raise NotRegular(path) from error
        raise
    if not stat.S_ISREG(os.fstat(descriptor).st_mode):
        os.close(descriptor)
        raise NotRegular(path)
    return descriptor
