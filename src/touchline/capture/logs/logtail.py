"""Newest lines of a log, read backwards from its end and through its rotated files.

Everything here blocks: call it in a thread.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

from touchline.foreign.files import is_regular, open_regular
from touchline.foreign.text import of_bytes

BLOCK_BYTES = 64 << 10
LONGEST_LINE_BYTES = 64 << 10
"""Maximum length of a line in bytes; the rest is left out.

A file without newlines must not fill the memory.
"""


def newest_lines(path: Path, *, most: int, most_bytes: int) -> Iterator[str]:
    """Yield lines of `path` and of `path.1`, `path.2`, … from the newest to the oldest.

    At most `most` lines are returned, all from the last `most_bytes`. Bytes that are not UTF-8 are
    replaced. A file that cannot be read raises OSError; a missing one does not.
    """
    left, left_bytes = most, most_bytes
    seen: set[tuple[int, int]] = set()
    for each in _files(path):
        try:
            file = open_regular(each, folders=0)
        except FileNotFoundError:
            continue
        try:
            status = os.fstat(file)
            identity = (status.st_dev, status.st_ino)
            # A log rotated while it is read appears again under its next name.
            if identity in seen:
                continue
            seen.add(identity)
            for line in _read_backwards(file, status.st_size, left_bytes):
                if left == 0:
                    return
                left -= 1
                yield of_bytes(line)
            left_bytes -= status.st_size
        finally:
            os.close(file)
        if left_bytes <= 0:
            return


def exists(path: Path) -> bool:
    """Return whether the log or one of its rotated files exists."""
    return any(is_regular(each, folders=0) for each in _files(path))


def _files(path: Path) -> Iterator[Path]:
    """Yield the log and its older files, newest first."""
    yield path
    older = re.compile(re.escape(path.name) + r"\.(\d{1,4})")
    try:
        with os.scandir(path.parent) as entries:
            numbers = [int(m.group(1)) for e in entries if (m := older.fullmatch(e.name))]
    except (FileNotFoundError, NotADirectoryError):
        return
    for number in sorted(numbers):
        yield path.with_name(f"{path.name}.{number}")


def _read_backwards(file: int, size_bytes: int, most_bytes: int) -> Iterator[bytes]:
    """Yield the whole lines in the last `most_bytes` of the file, without newlines.

    The last line comes first.
    """
    start = max(0, size_bytes - most_bytes)
    at = size_bytes
    rest = b""  # the end of a line whose beginning has not been read yet
    last = True
    while at > start:
        length = min(BLOCK_BYTES, at - start)
        at -= length
        block = os.pread(file, length, at)
        if len(block) < length:  # the file was truncated meanwhile
            return
        first, *lines = (block + rest).split(b"\n")
        rest = first[:LONGEST_LINE_BYTES]
        for line in reversed(lines):
            if last and not line:  # empty after the last newline
                last = False
                continue
            last = False
            yield line[:LONGEST_LINE_BYTES]
    if start == 0 and size_bytes and not (last and not rest):
        yield rest
