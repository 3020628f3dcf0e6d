"""ZIP download of a whole match, generated while it is sent.

Members are stored uncompressed, because video does not compress further. Their sizes are known
beforehand, so the download has a length, starts immediately, and needs a few megabytes of memory
for a match of any size. ZIP64 is used where a member or the archive needs it.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path
from typing import Any

import anyio
from anyio import to_thread
from zipstream import ZIP_STORED, ZipStream  # type: ignore[import-untyped]

from touchline.core.errors import Failed
from touchline.foreign.files import checked_path
from touchline.foreign.text import file_name

_CHUNKS_A_STEP = 64
"""Number of zipstream's 64 KiB chunks that one step in a thread reads, 4 MiB in all.

With 1 MiB, thread switches cost a third of the throughput.
"""


@dataclass(frozen=True)
class Member:
    """File of the archive: its name inside, and the location of its content.

    `content` is for files that may be replaced while the archive is sent, such as a manifest.
    """

    name: str
    path: Path
    content: bytes | None = None


class _CheckedZip(ZipStream):  # type: ignore[misc]
    """ZIP stream that only accepts regular files at the time they are read."""

    def _gen_file_entry(self, *, path: str | None = None, **member: Any) -> Iterator[bytes]:
        if path is None:
            yield from super()._gen_file_entry(path=None, **member)
            return
        with checked_path(path) as checked:
            yield from super()._gen_file_entry(path=checked, **member)


class Archive:
    """ZIP of known size whose content is read while it is sent, once.

    If a file vanishes, shrinks or grows meanwhile, `chunks` raises Failed before the archive is
    complete: the receiver sees an aborted download, never a corrupt archive.
    """

    def __init__(
        self, name: str, members: Sequence[Member], limiter: anyio.CapacityLimiter
    ) -> None:
        """Read the members' sizes.

        Blocks, so call it in a thread. Raises OSError.
        """
        self.name = name
        self._limiter = limiter
        self._zip = _CheckedZip(compress_type=ZIP_STORED, sized=True)
        for member in members:
            inside = "/".join(file_name(part) for part in member.name.split("/"))
            if member.content is None:
                self._zip.add_path(member.path, inside, recurse=False)
            else:
                self._zip.add(member.content, inside)
        self.size_bytes: int | None = len(self._zip)

    async def chunks(self) -> AsyncIterator[bytes]:
        """Return the archive's content in pieces of up to 64 KiB."""
        pieces = iter(self._zip)
        for most in chain((1,), repeat(_CHUNKS_A_STEP)):  # the first byte at once
            step = await to_thread.run_sync(_read, pieces, most, limiter=self._limiter)
            if not step:
                return
            for piece in step:
                yield piece


def _read(pieces: Iterator[bytes], most: int) -> list[bytes]:
    try:
        return list(islice(pieces, most))
    except (OSError, RuntimeError) as error:  # RuntimeError: a size has changed
        raise Failed(f"The archive cannot be completed: {error}", code="archive_broken") from error
