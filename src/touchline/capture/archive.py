"""A whole match as one ZIP, made while it is sent: nothing is compressed, copied or kept.

Video does not get smaller by deflating it. Stored members have a size that is known beforehand,
so the download has a length, its first byte at once, and costs a few megabytes of memory whatever
the size of the match. ZIP64 where a member or the whole needs it.
"""

from __future__ import annotations

import os
from collections.abc import AsyncIterator, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, islice, repeat
from pathlib import Path

import anyio
from anyio import to_thread
from zipstream import ZIP_STORED, ZipStream  # type: ignore[import-untyped]

from touchline.core.errors import Failed

_CHUNKS_A_STEP = 64
"""zipstream reads 64 KiB at a time. One step in a thread reads 4 MiB: with 1 MiB the hops between
threads cost a third of the throughput."""


@dataclass(frozen=True)
class Member:
    """A file of the archive: its name inside, and where its bytes are.

    `content` is for what may be replaced while the archive is sent, as a manifest is.
    """

    name: str
    path: Path
    content: bytes | None = None


class Archive:
    """A ZIP whose size is known and whose bytes are read when they are sent, once.

    A file that vanishes, shrinks or grows meanwhile ends `chunks` with Failed before the archive is
    complete: the receiver sees a broken download, never a wrong archive.
    """

    def __init__(
        self, name: str, members: Sequence[Member], limiter: anyio.CapacityLimiter
    ) -> None:
        """Look at the members' sizes; blocks, so call it in a thread. Raises OSError."""
        self.name = name
        self._limiter = limiter
        self._zip = ZipStream(compress_type=ZIP_STORED, sized=True)
        for member in members:
            # A name that is not UTF-8 cannot be said in a ZIP: its odd bytes become U+FFFD.
            inside = os.fsencode(member.name).decode("utf-8", "replace")
            if member.content is None:
                self._zip.add_path(member.path, inside, recurse=False)
            else:
                self._zip.add(member.content, inside)
        self.size_bytes: int | None = len(self._zip)

    async def chunks(self) -> AsyncIterator[bytes]:
        """The archive from its first byte to its last, in pieces of up to 64 KiB."""
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
    except (OSError, RuntimeError) as error:  # RuntimeError: a size is not what it was
        raise Failed(f"The archive cannot be completed: {error}", code="archive_broken") from error
